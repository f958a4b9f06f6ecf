#!/bin/sh
# Runs inside a Linux guest while it is customized: makes the login, sets its password, installs its keys, and leaves behind
# what keeps name, address and disks right at each later start.
#
# Every value is base64, so nothing a customer typed can leave its place: the alphabet has no character with a meaning to
# the shell. The platform calls this twice, before and after its own work; only the second call does anything. A second
# run changes nothing.
[ "$1" = postcustomization ] || exit 0
set -eu
umask 022
decode() { printf '%s' "$1" | base64 -d; }
hostname=$(decode '@HOSTNAME@')
login=$(decode '@LOGIN@')
password=$(decode '@PASSWORD@')
keys=$(decode '@KEYS@')
way=$(decode '@WAY@')

# ---- Who may sign in ------------------------------------------------------------------------------------------------

if ! id "$login" >/dev/null 2>&1; then
    useradd --create-home --shell /bin/bash "$login"
fi
if [ "$login" != root ]; then
    mkdir -p /etc/sudoers.d
    printf '%s ALL=(ALL) NOPASSWD:ALL\n' "$login" >/etc/sudoers.d/90-slipway
    chmod 0440 /etc/sudoers.d/90-slipway
fi
if [ -n "$password" ]; then
    printf '%s:%s\n' "$login" "$password" | chpasswd
fi
# The second is the key of a job of ours, which takes it out again.
if [ -n "$keys$way" ]; then
    # An account that is locked is let in by no key either, where sshd asks nobody else: it gets a password that is none.
    case $(getent shadow "$login" | cut -d: -f2) in '!'*) [ -n "$password" ] || usermod -p '*' "$login" ;; esac
    home=$(getent passwd "$login" | cut -d: -f6)
    group=$(id -gn "$login")
    mkdir -p "$home/.ssh"
    touch "$home/.ssh/authorized_keys"
    printf '%s\n' "$keys" "$way" | while IFS= read -r key; do
        [ -n "$key" ] || continue
        grep -qxF -e "$key" "$home/.ssh/authorized_keys" || printf '%s\n' "$key" >>"$home/.ssh/authorized_keys"
    done
    chmod 0700 "$home/.ssh"
    chmod 0600 "$home/.ssh/authorized_keys"
    chown -R "$login:$group" "$home/.ssh"
    ! command -v restorecon >/dev/null 2>&1 || restorecon -R "$home/.ssh" || true
fi

# The first value counts in sshd's settings, so ours stand at the beginning, whatever an image says further down.
if [ -n "$password" ]; then by_password=yes root=yes; else by_password=no root=prohibit-password; fi
if [ -f /etc/ssh/sshd_config ]; then
    rest=$(sed '/^# slipway: /,/^# slipway end/d' /etc/ssh/sshd_config)
    {
        printf '# slipway: how this server was ordered to be signed in to\n'
        printf 'PasswordAuthentication %s\nPubkeyAuthentication yes\n' "$by_password"
        # The other way by which a password is asked for.
        [ -n "$password" ] || printf 'ChallengeResponseAuthentication no\n'
        [ "$login" != root ] || printf 'PermitRootLogin %s\n' "$root"
        printf '# slipway end\n%s\n' "$rest"
    } >/etc/ssh/sshd_config.slipway-new
    cat /etc/ssh/sshd_config.slipway-new >/etc/ssh/sshd_config
    rm -f /etc/ssh/sshd_config.slipway-new
fi

# ---- What stays -----------------------------------------------------------------------------------------------------

install_program() { decode "$2" >"/usr/local/sbin/$1.new"; chmod 0755 "/usr/local/sbin/$1.new"; mv "/usr/local/sbin/$1.new" "/usr/local/sbin/$1"; }
mkdir -p /usr/local/sbin /etc/systemd/system/multi-user.target.wants /etc/systemd/system/timers.target.wants
install_program slipway-guest '@GUEST@'
install_program slipway-grow '@GROW@'
install_program slipway-identity '@IDENTITY@'
/usr/local/sbin/slipway-identity rests @RESTS@
cat >/etc/systemd/system/slipway-guest.service <<'END'
[Unit]
Description=Name and network as they were ordered
DefaultDependencies=no
After=local-fs.target
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
ExecStartPre=-/usr/local/sbin/slipway-identity rest
ExecStart=/usr/local/sbin/slipway-guest
[Install]
WantedBy=multi-user.target
END
cat >/etc/systemd/system/slipway-grow.service <<'END'
[Unit]
Description=The root file system has all of its disk
After=local-fs.target
[Service]
Type=oneshot
ExecStartPre=-/usr/local/sbin/slipway-identity rest
ExecStart=/usr/local/sbin/slipway-grow
SuccessExitStatus=3
END
# A disk may be made larger while the system runs, and what borrowed its identity may have been killed.
cat >/etc/systemd/system/slipway-grow.timer <<'END'
[Unit]
Description=The root file system has all of its disk
[Timer]
OnBootSec=1
OnUnitActiveSec=120
[Install]
WantedBy=timers.target
END
ln -sf ../slipway-guest.service /etc/systemd/system/multi-user.target.wants/slipway-guest.service
ln -sf ../slipway-grow.timer /etc/systemd/system/timers.target.wants/slipway-grow.timer

if command -v hostnamectl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    hostnamectl set-hostname "$hostname"
else
    printf '%s\n' "$hostname" >/etc/hostname
    hostname "$hostname"
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl start --no-block slipway-grow.timer
    systemctl try-reload-or-restart ssh.service sshd.service 2>/dev/null || true
else
    [ ! -f /run/sshd.pid ] || kill -HUP "$(cat /run/sshd.pid)"
fi
