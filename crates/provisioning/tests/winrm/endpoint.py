"""A Windows server as a client of WinRM sees it: records each script that it is told to run, and answers as one would.

Over TLS with a certificate of its own, with NTLM, as Windows has it by default. Run with the Python of Ansible's environment:
`endpoint.py FOLDER USER PASSWORD SYSTEM`. It writes its port to FOLDER/port, and each script to FOLDER/scripts, a line of JSON
each. Of the scripts it understands what the playbooks ask; nothing is executed.
"""

import base64
import datetime
import http.server
import ipaddress
import json
import os
import re
import ssl
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ET

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

FOLDER, USER, PASSWORD, SYSTEM = sys.argv[1:5]
# How long the installer takes, and what it ends with: a file that says so fails once.
TAKES = 2.0
users = os.path.join(FOLDER, "users")
with open(users, "w") as file:
    file.write(f":{USER}:{PASSWORD}\n")
os.environ["NTLM_USER_FILE"] = users


class Windows:
    """What the playbooks can see of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = self.leaving = False
        self.begun = None

    def ended(self):
        return self.begun is not None and time.monotonic() - self.begun > TAKES

    def run(self, script):
        with self.lock, open(os.path.join(FOLDER, "scripts"), "a") as file:
            file.write(json.dumps(script) + "\n")
            return self.answer(script)

    def answer(self, script):
        fails = os.path.join(FOLDER, "fail-once")
        if "Win32_OperatingSystem" in script:
            return f"Microsoft {SYSTEM} Standard\r\n", 0
        if "'there'" in script:
            return ("there\r\n" if self.done else "missing\r\n"), 0
        if "Invoke-WebRequest" in script:
            return "", 0
        if "'started'" in script:
            if self.begun is not None and not self.ended():
                return "running\r\n", 0
            self.begun = time.monotonic()
            return "started\r\n", 0
        if "'ended '" in script:
            if not self.ended():
                return "running\r\n", 0
            if os.path.exists(fails):
                os.remove(fails)
                self.begun = None
                return "ended 1603\r\nno room left\r\n", 0
            self.done = True
            return "ended 0\r\n", 0
        if "'stopped'" in script:
            busy, self.begun = self.begun is not None and not self.ended(), None
            return ("stopped\r\n" if busy else "nothing\r\n"), 0
        if "'leaving'" in script:
            self.leaving = True
            return "leaving\r\n", 0
        if "Test-NetConnection" in script:
            return ("answers\r\n" if self.done else "silent\r\n"), 0
        return "", 0


WINDOWS = Windows()
OUTPUTS = {}
ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
 xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"
 xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header>
 <s:Body>{body}</s:Body></s:Envelope>"""


def script_of(command):
    """What PowerShell is told on its command line; the outermost encoding is taken off as often as there is one."""
    while True:
        encoded = re.search(r"-EncodedCommand\s+([A-Za-z0-9+/=]+)", command)
        if not encoded:
            return command
        command = base64.b64decode(encoded.group(1)).decode("utf-16-le")


def text_of(root, name):
    found = [node for node in root.iter() if node.tag.endswith("}" + name)]
    return found[0].text if found and found[0].text else ""


def answer(request):
    root = ET.fromstring(request)
    action, relates = text_of(root, "Action"), text_of(root, "MessageID")
    if action.endswith("transfer/Create"):
        body = f'<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name="ShellId">{uuid.uuid4()}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>'
    elif action.endswith("shell/Command"):
        arguments = [n.text or "" for n in root.iter() if n.tag.endswith("}Arguments")]
        command = str(uuid.uuid4()).upper()
        OUTPUTS[command] = WINDOWS.run(script_of(" ".join([text_of(root, "Command"), *arguments])))
        body = f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
    elif action.endswith("shell/Receive"):
        stream = next(n for n in root.iter() if n.tag.endswith("}DesiredStream"))
        command = stream.get("CommandId")
        out, code = OUTPUTS.pop(command, ("", 0))
        encoded = base64.b64encode(out.encode()).decode()
        state = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"
        body = f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="{command}">{encoded}</rsp:Stream><rsp:CommandState CommandId="{command}" State="{state}"><rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>'
    else:
        body = "<rsp:SignalResponse/>"
    return ENVELOPE.format(relates=relates, body=body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    context = None

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.context is None or not self.context.complete:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            if not token:
                return self.reply(401, WWW_Authenticate="NTLM")
            if self.context is None:
                self.context = spnego.server(protocol="ntlm")
            try:
                back = self.context.step(base64.b64decode(token))
            except spnego.exceptions.SpnegoError:
                self.context = None
                return self.reply(401, WWW_Authenticate="NTLM")
            if not self.context.complete:
                return self.reply(401, WWW_Authenticate=f"{scheme} {base64.b64encode(back).decode()}")
        if WINDOWS.leaving and not request:
            return self.reply(401, WWW_Authenticate="NTLM")
        self.reply(200, answer(request).encode(), Content_Type="application/soap+xml;charset=UTF-8")


def certificate():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web-01")])
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    file = os.path.join(FOLDER, "certificate")
    with open(file, "wb") as out:
        out.write(cert.public_bytes(serialization.Encoding.PEM))
        out.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return file


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate())
server.socket = tls.wrap_socket(server.socket, server_side=True)
with open(os.path.join(FOLDER, "port.new"), "w") as file:
    file.write(str(server.server_address[1]))
os.rename(os.path.join(FOLDER, "port.new"), os.path.join(FOLDER, "port"))
server.serve_forever()
