#!/usr/bin/env bash
# The Debian package holds what a host needs, with the modes it needs, and a configuration that its own binary takes.
# Needs dpkg-deb and a release build (SHEKARA_BIN=FILE names another).
set -euo pipefail
cd "$(dirname "$0")/../.."
export SHEKARA_BIN=${SHEKARA_BIN:-target/release/shekara}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
fail() { echo "package: $*" >&2; exit 1; }

deploy/debian/build >"$work/said" || fail "$(tail -1 "$work/said")"
package=$(ls -t target/debian/shekara_*.deb | head -n 1)
dpkg-deb -c "$package" >"$work/content"
dpkg-deb -x "$package" "$work/root"
dpkg-deb -e "$package" "$work/control"

# holds MODE PATH: the package has it, root's, with this mode.
holds() {
  awk -v mode="$1" -v path="./$2" '$1 == mode && $2 == "root/root" && $6 == path { found = 1 } END { exit !found }' "$work/content" ||
    fail "no $2 of root with $1; there is: $(grep -F "$2" "$work/content" || echo nothing)"
  passed=$((passed + 1))
}
holds -rwxr-xr-x usr/bin/shekara
holds -rw-r--r-- usr/lib/systemd/system/shekara.service
holds -rw-r--r-- usr/lib/systemd/system/shekara.socket
holds -rw-r--r-- usr/lib/sysusers.d/shekara.conf
holds drwxr-x--- etc/shekara/
holds -rw-r----- etc/shekara/shekara.yaml
for it in copyright README.md operators.md limits.md shekara.example.yaml firewall/host.nft prometheus/alerts.yaml grafana/shekara.json; do
  holds -rw-r--r-- "usr/share/doc/shekara/$it"
done

# yields WHAT COMMAND...: the command must succeed.
yields() {
  local what=$1
  shift
  "$@" >"$work/said" 2>&1 || fail "$what: $(tail -3 "$work/said")"
  passed=$((passed + 1))
}
grep -ho '^Exec[A-Za-z]*=/[^ ]*' "$work/root"/usr/lib/systemd/system/* | cut -d= -f2 | grep shekara | sort -u >"$work/programs"
yields "the units start what the package has" diff "$work/programs" <(echo /usr/bin/shekara)
yields "an upgrade asks before it overwrites the configuration" grep -qx /etc/shekara/shekara.yaml "$work/control/conffiles"
yields "every file of docs/ is there" bash -c 'for it in docs/*.md; do test -s "$1/usr/share/doc/shekara/$(basename "$it")" || exit 1; done' - "$work/root"
for it in postinst prerm postrm; do yields "$it parses" sh -n "$work/control/$it"; done
yields "no line of it is for whoever builds it" bash -c '! grep -rqF "$PWD" "$1/etc" "$1/usr/lib" "$1/usr/share"' - "$work/root"
yields "the state is where the unit has it" grep -qx 'state_dir: /var/lib/shekara' "$work/root/etc/shekara/shekara.yaml"
yields "its binary takes its configuration" \
  "$work/root/usr/bin/shekara" check --config "$work/root/etc/shekara/shekara.yaml" --state "$work/state"
yields "its version is the binary's" grep -qx "Version: $("$work/root/usr/bin/shekara" --version | cut -d' ' -f2)" "$work/control/control"
echo "package: $passed passed, 0 failed"
