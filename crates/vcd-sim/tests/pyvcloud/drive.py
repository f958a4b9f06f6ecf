"""Drives a simulator with pyvcloud 23.0.4, a client that knows nothing of it. Usage: drive.py URL"""

import json
import sys
import urllib.request

from pyvcloud.vcd.client import BasicLoginCredentials, Client, EntityType
from pyvcloud.vcd.exceptions import (
    AccessForbiddenException,
    BadRequestException,
    ConflictException,
    OperationNotSupportedException,
    VcdException,
    VcdTaskException,
)
from pyvcloud.vcd.org import Org
from pyvcloud.vcd.vapp import VApp
from pyvcloud.vcd.vdc import VDC
from pyvcloud.vcd.vm import VM

URL = sys.argv[1]
STEPS = []


def step(name):
    STEPS.append(name)
    print("*", name, flush=True)


def connect(user, org, password):
    client = Client(URL)
    client.set_credentials(BasicLoginCredentials(user, org, password))
    return client


step("a wrong password is refused")
try:
    connect("acme-admin", "acme", "wrong")
    raise AssertionError("signed in with a wrong password")
except VcdException:
    pass

step("the version is negotiated, the tenant signs in")
client = connect("acme-admin", "acme", "simulator")
assert client.get_api_version() == "36.0", client.get_api_version()


def wait(result):
    """Waits for a task, or for the tasks in a vApp's body."""
    tasks = [result] if result.tag.endswith("}Task") else list(result.Tasks.Task)
    for task in tasks:
        client.get_task_monitor().wait_for_success(task=task, timeout=60, poll_frequency=0.1)


def control(path, body):
    """Asks for something that no cloud would do on request."""
    asked = urllib.request.Request(
        f"{URL}/sim/{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(asked).close()


def guest(vm):
    uuid = vm.get_resource().get("id").rsplit(":", 1)[1]
    with urllib.request.urlopen(f"{URL}/sim/guests/{uuid}") as answer:
        return json.load(answer)


step("organisation, VDC, catalogue, templates, edges are listed")
org = Org(client, resource=client.get_org())
assert org.get_name() == "acme"
assert [v["name"] for v in org.list_vdcs()] == ["acme-vdc"]
vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
assert [c["name"] for c in org.list_catalogs()] == ["templates"]
names = sorted(i["name"] for i in org.list_catalog_items("templates"))
assert len(names) == 9 and "AlmaLinux 9" in names and "Windows Server 2022" in names, names
assert len(vdc.list_edge_gateways()) == 25, "one page is all this client reads"
assert vdc.get_gateway("edge-130") is not None
assert [p.get("name") for p in vdc.get_storage_profiles()] == ["standard"]


def network(name, edge, cidr, first, last):
    created = vdc.create_routed_vdc_network(
        name, edge, cidr, description="made by a test", primary_dns_ip="1.1.1.1",
        ip_range_start=first, ip_range_end=last)
    wait(created)
    vdc.reload()


step("two routed networks")
network("net-1", "edge-001", "198.18.0.9/29", "198.18.0.10", "198.18.0.14")
network("net-2", "edge-002", "198.18.0.17/29", "198.18.0.18", "198.18.0.22")
assert sorted(n.get("name") for n in vdc.list_orgvdc_routed_networks()) == ["net-1", "net-2"]
assert vdc.get_routed_orgvdc_network("net-1").Configuration.IpScopes.IpScope.Gateway == "198.18.0.9"

step("a vApp is composed, with a network")
wait(vdc.create_vapp("first", description="of a test", network="net-1"))
first = VApp(client, resource=vdc.get_vapp("first"))
assert [n.get("{http://schemas.dmtf.org/ovf/envelope/1}name") for n in first.get_all_networks()] == ["net-1"]

step("a second network is attached")
wait(first.connect_org_vdc_network("net-2"))
first.reload()
assert len(first.get_all_networks()) == 2

step("two machines are copied from templates")
item = org.get_catalog_item("templates", "AlmaLinux 9")
template = client.get_resource(item.Entity.get("href"))
source_name = template.Children.Vm.get("name")
spec = {
    "vapp": template, "source_vm_name": source_name, "target_vm_name": "web", "hostname": "web",
    "password": "Correct-Horse-1", "password_reset": True, "network": "net-1", "ip_allocation_mode": "pool",
    "storage_profile": vdc.get_storage_profile("standard"),
}
other = dict(spec, target_vm_name="db", hostname="db", network="net-2")
wait(first.add_vms([spec, other], deploy=False, power_on=False, all_eulas_accepted=True))
first.reload()
assert sorted(v.get("name") for v in first.get_all_vms()) == ["db", "web"]
assert first.get_primary_ip("web") == "198.18.0.10"


def machine(vapp, name):
    vapp.reload()
    return VM(client, resource=vapp.get_vm(name))


step("a second machine of the same name is refused")
try:
    first.add_vms([spec], deploy=False, power_on=False, all_eulas_accepted=True)
    raise AssertionError("a second machine of the same name was made")
except BadRequestException as e:
    assert "DUPLICATE_NAME" in str(e)

step("size: CPU, memory, disks")
web = machine(first, "web")
wait(web.modify_cpu(2, 1))
wait(machine(first, "web").modify_memory(4096))
web = machine(first, "web")
assert web.get_cpus() == {"num_cpus": 2, "num_cores_per_socket": 1}, web.get_cpus()
assert web.get_memory() == 4096
wait(first.add_disk_to_vm("web", 20480))
disks = [d for d in machine(first, "web").list_virtual_hardware_section(is_disk=True) if "diskElementName" in d]
assert len(disks) == 2, disks
wait(machine(first, "web").update_vhs_disks("Hard disk 1", 30 * 1024 * 1024 * 1024))
sizes = sorted(int(d["diskVirtualQuantityInBytes"]) >> 20
               for d in machine(first, "web").list_virtual_hardware_section(is_disk=True) if "diskElementName" in d)
assert sizes == [20480, 30720], sizes

step("name, host name, hot add, address")
wait(machine(first, "db").edit_name("database"))
wait(machine(first, "database").edit_hostname("database"))
assert any(s.get("ComputerName") == "database" for s in [machine(first, "database").list_gc_section()])
wait(machine(first, "web").update_vm_capabilities_section(memory_hot_add_enabled=True, cpu_hot_add_enabled=True))
assert machine(first, "web").list_vm_capabilities()["CpuHotAddEnabled"]
wait(machine(first, "web").update_nic("net-1", 0, is_connected=True, ip_address_mode="MANUAL", ip_address="198.18.0.12"))
assert first.get_primary_ip("web") != "" and machine(first, "web").list_nics()[0]["ip_address"] == "198.18.0.12"

step("a whole machine is read, changed in places and sent back")
wait(machine(first, "database").update_general_setting(name="database", description="of the shop", computer_name="db-2"))
database = machine(first, "database")
assert str(database.get_resource().Description) == "of the shop"
assert str(database.get_resource().GuestCustomizationSection.ComputerName) == "db-2"
wait(database.add_nic("E1000", False, True, "net-1", "POOL", None))
cards = machine(first, "database").list_nics()
assert [(c["index"], c["network"]) for c in cards] == [(0, "net-2"), (1, "net-1")], cards
assert len({c["ip_address"] for c in cards}) == 2, cards
wait(machine(first, "database").delete_nic(1))
assert len(machine(first, "database").list_nics()) == 1

step("a customization section is written whole")
wait(machine(first, "database").update_guest_customization_section(
    enabled=True, admin_password_enabled=True, admin_password_auto=False, admin_password="Correct-Horse-2",
    reset_password_required=False))

step("power on: the guest customizes itself")
wait(machine(first, "web").power_on())
wait(machine(first, "database").power_on())
web = machine(first, "web")
assert web.is_powered_on()
for _ in range(600):
    if web.get_guest_customization_status() == "GC_COMPLETE" and guest(web)["state"] == "up":
        break
else:
    raise AssertionError(web.get_guest_customization_status())
inside = guest(web)
assert (inside["hostname"], inside["addresses"]) == ("web", ["198.18.0.12"]), inside
assert inside["root_mb"] == 30720, "the file system has grown with the disk"

step("console ticket, reboot, snapshot")
assert web.list_mks_ticket()["Ticket"]
wait(machine(first, "web").reboot())
wait(machine(first, "web").snapshot_create(memory=False, quiesce=False))
wait(machine(first, "web").snapshot_remove_all())

step("metadata")
wait(first.set_metadata("GENERAL", "READWRITE", "owner", "test"))
assert "owner" in [str(e.Key) for e in first.get_metadata().MetadataEntry]

step("a busy entity is refused, and says so")
# A reset is over in milliseconds here, sooner perhaps than the next request comes; this one lasts until it is ended.
control("faults", {"at": "task vappReset", "what": {"kind": "stuck", "percent": 50}})
running = machine(first, "web").power_reset()
try:
    VM(client, href=web.get_resource().get("href")).power_reset()
    raise AssertionError("two operations at once on one machine")
except (BadRequestException, OperationNotSupportedException):
    pass
control("tasks/" + running.get("id").rsplit(":", 1)[1], {"end": "success"})
wait(running)

step("a network does not leave a running vApp")
first.reload()
try:
    wait(first.disconnect_org_vdc_network("net-2"))
    raise AssertionError("the network left a running vApp")
except (ConflictException, BadRequestException) as e:
    assert "Stop the vApp" in str(e)

step("a running machine moves to another vApp and keeps running")
wait(vdc.create_vapp("second", network="net-1"))
before = guest(machine(first, "web"))["up_for_ms"]
wait(machine(first, "web").move_to("first", "second", "web"))
second = VApp(client, resource=vdc.get_vapp("second"))
moved = machine(second, "web")
assert moved.is_powered_on() and guest(moved)["up_for_ms"] >= before
assert moved.list_nics()[0]["ip_address"] == "198.18.0.12"
first.reload()
assert "web" not in [v.get("name") for v in first.get_all_vms()]

step("a running machine cannot be deleted, a stopped one can")
first.reload()
try:
    wait(first.delete_vms(["database"]))
    raise AssertionError("a running machine was deleted")
except BadRequestException as e:
    assert "Stop the vApp" in str(e)
wait(machine(first, "database").undeploy("powerOff"))
first.reload()
wait(first.delete_vms(["database"]))

step("the old vApp goes, and with it its hold on the network")
try:
    wait(vdc.delete_routed_orgvdc_network("net-2"))
    raise AssertionError("a network in use was deleted")
except (BadRequestException, VcdTaskException) as e:
    assert "in use" in str(e)
wait(vdc.delete_vapp("first"))
wait(vdc.delete_routed_orgvdc_network("net-2"))
vdc.reload()
assert [n.get("name") for n in vdc.list_orgvdc_routed_networks()] == ["net-1"]

step("shut down, suspend, resume, discard")
wait(machine(second, "web").suspend())
assert machine(second, "web").is_suspended()
wait(machine(second, "web").power_on())
wait(machine(second, "web").shutdown())
assert machine(second, "web").is_powered_off() and machine(second, "web").get_resource().get("deployed") == "true"
wait(machine(second, "web").undeploy("powerOff"))
wait(machine(second, "web").power_on_and_force_recustomization())
wait(machine(second, "web").undeploy("powerOff"))

step("a template is instantiated whole, and a vApp cloned")
vdc.reload()
instantiated = vdc.instantiate_vapp(
    "third", "templates", "Debian 12", network="net-1", ip_allocation_mode="pool", deploy=False, power_on=False,
    accept_all_eulas=True, hostname="third")
wait(instantiated)
third = VApp(client, resource=vdc.get_vapp("third"))
assert len(third.get_all_vms()) == 1
assert third.get_all_vms()[0].GuestCustomizationSection.ComputerName == "third"
wait(third.copy_to(vdc.href, "fourth", "a copy"))
fourth = VApp(client, resource=vdc.get_vapp("fourth"))
assert len(fourth.get_all_vms()) == 1
# A copy that nobody asks to stay off is turned on, by the schema's default.
assert fourth.get_all_vms()[0].get("status") == "4"
wait(fourth.undeploy())
wait(fourth.edit_name_and_description("fifth", "renamed"))

step("everything goes")
vdc.reload()
for name in ["second", "third", "fifth"]:
    wait(vdc.delete_vapp(name, force=True))
wait(vdc.delete_routed_orgvdc_network("net-1"))
vdc.reload()
left = [r["name"] for r in vdc.list_resources() if r["type"] == EntityType.VAPP.value]
assert left == [], left

step("an id that is not there is forbidden, not missing")
try:
    client.get_resource(f"{URL}/api/vApp/vapp-3f2504e0-4f89-11d3-9a0c-0305e82c3301")
    raise AssertionError("it was there")
except AccessForbiddenException:
    pass

step("the provider signs in and sees the same organisation")
provider = connect("administrator", "System", "simulator")
assert [o.get("name") for o in provider.get_org_list()] == ["acme"]
provider.logout()
client.logout()
print(f"{len(STEPS)} steps")
