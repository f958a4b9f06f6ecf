// The rules of an order's fields, for the page and for the server.
export const STEPS = ["os", "panel", "size", "access", "review"];
export const SYSTEMS = [
  ["almalinux-9", "AlmaLinux 9", 10, 0], ["almalinux-8", "AlmaLinux 8", 10, 0], ["centos-7", "CentOS 7", 10, 0],
  ["debian-12", "Debian 12", 10, 0], ["ubuntu-20.04", "Ubuntu 20.04", 10, 0], ["ubuntu-22.04", "Ubuntu 22.04", 10, 0],
  ["ubuntu-24.04", "Ubuntu 24.04", 10, 0], ["windows-2019", "Windows Server 2019", 50, 90000], ["windows-2022", "Windows Server 2022", 50, 90000],
];
export const PANELS = [["", "No panel", 1, 0], ["cpanel", "cPanel", 2, 150000], ["plesk", "Plesk", 2, 90000], ["ispmanager", "ISPmanager 6", 2, 40000]];
export const SPEEDS = [10, 50, 100, 200, 500, 1000];
const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const LOGIN = /^[a-z_][a-z0-9_-]{0,31}$/;

export function check(v) {
  const errors = {};
  const system = SYSTEMS.find(([id]) => id === v.system);
  const panel = PANELS.find(([id]) => id === v.panel);
  if (!system) errors.system = "Choose a system.";
  if (!panel) errors.panel = "Choose a panel.";
  const whole = (name, min, max, step = 1) => {
    const n = Number(v[name]);
    if (!Number.isInteger(n)) errors[name] = "Enter a whole number, for example 4.";
    else if (n < min || n > max) errors[name] = `From ${min} to ${max} (you entered ${n}).`;
    else if (n % step) errors[name] = `In steps of ${step}.`;
  };
  whole("vcpu", 1, 32);
  whole("ram", panel?.[2] ?? 1, 128);
  whole("disk", system?.[2] ?? 10, 2000, 10);
  if (!SPEEDS.includes(Number(v.bandwidth))) errors.bandwidth = "Choose one of the offered speeds.";
  if (!/^[\p{L}\d _.()-]{1,40}$/u.test(v.name ?? "")) errors.name = "1–40 letters, digits, space, - _ . ( ).";
  if (!HOST.test(v.hostname ?? "") || /^localhost$|\.local(host)?$/.test(v.hostname)) errors.hostname = "Latin letters, digits and hyphens.";
  if (v.login !== "root" && !LOGIN.test(v.login ?? "")) errors.login = "Start with a Latin lower-case letter.";
  if (v.password && !/^[A-Za-z0-9!@#*()\-_=+[\]{},.:;?~]{12,64}$/.test(v.password)) errors.password = "12–64 of the allowed characters.";
  return errors;
}

export function price(v) {
  const system = SYSTEMS.find(([id]) => id === v.system)?.[3] ?? 0;
  const panel = PANELS.find(([id]) => id === v.panel)?.[3] ?? 0;
  return 12000 * v.vcpu + 12000 * v.ram + 500 * v.disk + 100 * v.bandwidth + system + panel;
}
