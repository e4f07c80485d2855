# Drawbridge keeps this block up to date and takes it away when it is no longer needed. Do not edit it: an edited
# block is never touched again. It routes peered networks through the interface in this notebook's own subnet.
{ (
{ set +eux; } 2>/dev/null
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
say() { echo "drawbridge: $*" >&2; }
for ip in /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip ''; do [ ! -x "$ip" ] || break; done
[ "$ip" ] || { say "no ip command on this machine: no host route was set"; exit 0; }
# device SUBNET: the interface with an address in SUBNET; in the first pass only one without the default route.
device() {
  for d in $("$ip" -o addr show up to "$1" 2>/dev/null | while read -r _ name _; do echo "${name%@*}"; done); do
    case $pass$default in first*" dev $d "*) ;; *) echo "$d"; return ;; esac
  done
  # Last of all eth2, the customer's interface on older platforms, if the router is next to it.
  [ "$pass" != last ] || case $("$ip" route get "$gw" oif eth2 2>/dev/null) in *" via "* | '') ;; *) echo eth2 ;; esac
}
# line SUBNET DESTINATION...: sets the routes if this machine is in SUBNET. A VPC's router is the subnet's base + 1
# in IPv4 and fe80:ec2::1 in IPv6. The metric lets a route of anybody else for the same network go first.
line() {
  case $1 in *:*) gw= ;; *) gw=${1%/*} gw=${gw%.*}.$((${gw##*.} + 1)) ;; esac
  dev=$(device "$1") subnet=$1
  shift
  if [ -z "$dev" ]; then
    [ "$pass" != last ] || say "no interface has an address in $subnet: its $# host routes were not set"
    return
  fi
  found=1
  other=$({ "$ip" route; "$ip" -6 route; } 2>/dev/null | while read -r r; do
    case $r in *" metric 4096"*) ;; *) echo "$r " ;; esac
  done)
  for to; do
    case $to in *:*) via=fe80:ec2::1 as=${to%/128} ;; *) via=$gw as=${to%/32} ;; esac
    case "
$other" in
    *"
$as via $via dev $dev "*) echo '#' ;;
    *"
$as "*) echo '#'; say "left $to alone: this machine has another route for it" ;;
    *) echo "route replace $to via $via dev $dev metric 4096" ;;
    esac
  done | "$ip" -force -batch - 2>&1 | while read -r r; do
    case $r in
    "Command failed "*) (shift $((${r##*:} - 1)); say "no host route to $1 by $dev: $why") ;;
    *) why=$r ;;
    esac
  done
}
lines() {
@lines@
}
n=0 found='' pass=''
while :; do
  # shellcheck disable=SC2046 # one word each
  set -- $("$ip" route show default 2>/dev/null)
  default=" $* "
  for pass in first second; do [ "$found" ] || lines; done
  [ -z "$found" ] && [ $((n += 1)) -lt 10 ] || break
  sleep 1
done
[ "$found" ] || { pass=last; lines; }
exit 0
) </dev/null 2>&3 3>&- || :; } 3>&$((${BASH_VERSION:+LINENO=@lineno@,}2)) 2>/dev/null
