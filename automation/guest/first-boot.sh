#!/bin/sh
# Runs inside a Linux guest while it is customized: makes the login, sets its password, installs its keys.
#
# The four values are base64, so nothing a customer typed can leave its place: the alphabet has no character with a
# meaning to the shell. The platform calls this twice, before and after its own work; only the second call does anything.
[ "$1" = postcustomization ] || exit 0
set -eu
decode() { printf '%s' "$1" | base64 -d; }
hostname=$(decode '@HOSTNAME@')
login=$(decode '@LOGIN@')
password=$(decode '@PASSWORD@')
keys=$(decode '@KEYS@')

if command -v hostnamectl >/dev/null 2>&1; then hostnamectl set-hostname "$hostname"; else printf '%s\n' "$hostname" >/etc/hostname; fi

if ! id "$login" >/dev/null 2>&1; then
    useradd --create-home --shell /bin/bash "$login"
    printf '%s ALL=(ALL) NOPASSWD:ALL\n' "$login" >"/etc/sudoers.d/90-slipway"
    chmod 0440 /etc/sudoers.d/90-slipway
fi
if [ -n "$password" ]; then
    printf '%s:%s\n' "$login" "$password" | chpasswd
fi
if [ -n "$keys" ]; then
    home=$(getent passwd "$login" | cut -d: -f6)
    mkdir -p "$home/.ssh"
    printf '%s\n' "$keys" >>"$home/.ssh/authorized_keys"
    chmod 0700 "$home/.ssh"
    chmod 0600 "$home/.ssh/authorized_keys"
    chown -R "$login" "$home/.ssh"
fi
