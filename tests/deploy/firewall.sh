#!/usr/bin/env bash
# The firewall examples do what they say: in network namespaces of its own, with a host outside, nobody but the gate gets out.
# Needs root, nft and ip (Debian: nftables, iproute2). Everything is taken away at the end.
# Where namespaces or nftables are not to be had it fails, unless SHEKARA_SKIP_FIREWALL=1 says that this is known.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! said=$(unshare --net sh -ec 'ip link set lo up; nft add table inet probe; ip link add probe0 type veth peer name probe1' 2>&1); then
  echo "firewall: NOT TESTED: this machine gives no network namespace with nftables and veth (needs root): ${said##*$'\n'}" >&2
  [ "${SHEKARA_SKIP_FIREWALL:-}" = 1 ] && exit 0
  echo "firewall: failed for that; SHEKARA_SKIP_FIREWALL=1 goes on without" >&2
  exit 1
fi
tag=shk$$
inside=$tag-in outside=$tag-out router=$tag-rt
work=$(mktemp -d)
end() {
  for it in "$inside" "$outside" "$router"; do
    ip netns pids "$it" 2>/dev/null | xargs -r kill 2>/dev/null || true
    ip netns del "$it" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap end EXIT
passed=0

# expect yes|no SENTENCE COMMAND...: whether the command reaches the outside.
expect() {
  local wanted=$1 what=$2 found=no
  shift 2
  if "$@" >/dev/null 2>"$work/said"; then found=yes; fi
  if [ "$found" != "$wanted" ]; then
    echo "firewall: $what: wanted $wanted, got $found: $(tail -1 "$work/said")" >&2
    exit 1
  fi
  passed=$((passed + 1))
}

# connect USER ADDRESS PORT, as a process of that user in the inside namespace.
connect() {
  ip netns exec "$inside" setpriv --reuid "$1" --clear-groups \
    timeout 3 bash -c "exec 3<>/dev/tcp/$2/$3"
}

serve() {
  ip netns exec "$1" python3 -c '
import socket, sys
servers = [socket.create_server(("", int(port))) for port in sys.argv[1:]]
print("ready", flush=True)
while True:
    import select
    for server in select.select(servers, [], [])[0]:
        server.accept()[0].close()
' 443 8443 >"$work/$1" &
  for _ in $(seq 50); do
    grep -q ready "$work/$1" && return
    sleep 0.1
  done
  echo "firewall: nobody listens in $1" >&2
  exit 1
}

# inside 10.9.0.2 and .3 -- router 10.9.0.1 | 198.51.100.1 -- outside 198.51.100.2 (RFC 5737, here only)
for it in "$inside" "$router" "$outside"; do ip netns add "$it"; ip -n "$it" link set lo up; done
ip link add lan0 netns "$router" type veth peer name eth0 netns "$inside"
ip link add wan0 netns "$router" type veth peer name eth0 netns "$outside"
ip -n "$inside" addr add 10.9.0.2/24 dev eth0
ip -n "$inside" addr add 10.9.0.3/24 dev eth0
ip -n "$router" addr add 10.9.0.1/24 dev lan0
ip -n "$router" addr add 198.51.100.1/24 dev wan0
ip -n "$outside" addr add 198.51.100.2/24 dev eth0
for it in "$inside:eth0" "$outside:eth0" "$router:lan0" "$router:wan0"; do ip -n "${it%:*}" link set "${it#*:}" up; done
ip -n "$inside" route add default via 10.9.0.1
ip -n "$outside" route add default via 198.51.100.1
ip netns exec "$router" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
serve "$outside"
serve "$router"
gate=65532 shop=65533

expect yes "before the rules, a service" connect $shop 198.51.100.2 443

sed "s/\"shekara\"/$gate/" deploy/firewall/host.nft >"$work/host.nft"
ip netns exec "$inside" nft -f "$work/host.nft"
expect no "host: a service to the outside" connect $shop 198.51.100.2 443
expect no "host: a service to the outside by another port" connect $shop 198.51.100.2 8443
expect no "host: root to the outside" connect 0 198.51.100.2 443
expect yes "host: the gate to the outside" connect $gate 198.51.100.2 443
expect yes "host: a service inside" connect $shop 10.9.0.1 443
ip netns exec "$inside" nft -f "$work/host.nft"
expect no "host: loaded twice, still closed" connect $shop 198.51.100.2 443
# Read whole before it is searched: `grep -q` in a pipe may end before nft has written, which then dies of it.
counted=$(ip netns exec "$inside" nft list counter inet shekara refused)
[[ $counted =~ packets\ [1-9] ]] || { echo "firewall: nothing was counted: $counted" >&2; exit 1; }
ip netns exec "$inside" nft delete table inet shekara
expect yes "host: taken away" connect $shop 198.51.100.2 443

# from ADDRESS: a connection from one of the inside addresses.
from() {
  ip netns exec "$inside" python3 -c 'import socket, sys; socket.create_connection(("198.51.100.2", 443), 2, (sys.argv[1], 0))' "$1"
}
sed 's/10\.0\.0\.10/10.9.0.3/' deploy/firewall/router.nft >"$work/router.nft"
ip netns exec "$router" nft -f "$work/router.nft"
expect no "router: a service" from 10.9.0.2
expect yes "router: the gate" from 10.9.0.3
echo "firewall: $passed passed, 0 failed"
