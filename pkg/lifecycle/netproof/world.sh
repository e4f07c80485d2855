# The networks around a notebook, as functions; world.go calls them inside the holder's namespaces.
#
#   notebook ─ eth0 ─ sagemaker (172.16.0.1): the way to the internet; no peered network behind it
#            ─ eth2 ─ consumer (10.1.0.1, 10.1.1.1): VPC router ─ peering ─ producer (10.2.0.1) ─ database (10.2.0.10)
#            ─ docker0 172.17.0.1/16, br-sagemaker 172.18.0.1/16
#
# Over a gateway it is one router more, between the VPCs' routers, and other addresses: consumer 10.0.0.0/16 ─ gateway
# ─ producer 10.1.0.0/16 with the database 10.1.128.10 in 10.1.128.0/28. IPv4 only. world.go says which, by environment.
#
# The database's namespace has a second address, BESIDE, in another subnet of the producer: a database that nobody shares. With PLAN, the routers lead THERE
# and BACK alone, as the route tables of a connection do, and the producer's lets in what its security groups let in: ADMIT, each FROM:PORT, to DATABASE.
set -e
: "${PLAN=}" "${THERE=}" "${BACK=}" "${ADMIT=}" "${BESIDE=10.2.2.10}" "${ASIDE=10.2.2.1}"
: "${GATEWAY=}" "${CONSUMER=10.1}" "${PRODUCER=10.2}" "${ROUTER=10.2.0.1}" "${DATABASE=10.2.0.10}" "${BITS=24}"

space() { # space NAME: a network namespace that forwards
  ip netns add "$1"
  ip -n "$1" link set lo up
  ip netns exec "$1" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
    echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits
    echo "$1" >/proc/sys/net/ipv4/ip_forward; echo "$1" >/proc/sys/net/ipv6/conf/all/forwarding' sh "${2-1}"
}

bridges=0
bridge() { # bridge SPACE NAME ADDRESS: with a MAC address of its own, else it takes that of a port, and changes with them
  bridges=$((bridges + 1))
  ip -n "$1" link add "$2" address "02:00:00:00:00:0$bridges" type bridge
  ip -n "$1" addr add "$3" dev "$2"
  ip -n "$1" link set "$2" up
}

pair() { # pair SPACE NAME SPACE NAME
  ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}

lead() { # lead SPACE NEXT WHOLE PREFIXES: without a plan the whole, else what it says
  [ -n "$PLAN" ] && prefixes=$4 || prefixes=$3
  for prefix in $prefixes; do ip -n "$1" route add "$prefix" via "$2"; done
}

guard() { # guard INTERFACE: of what comes in by it, what is admitted reaches the database, and nothing else gets anywhere
  [ -n "$PLAN" ] || return 0
  for admitted in $ADMIT; do
    ip -n producer rule add pref 100 iif "$1" from "${admitted%:*}" to "$DATABASE" ipproto tcp dport "${admitted##*:}" lookup main
  done
  ip -n producer rule add pref 200 iif "$1" prohibit
  ip -n producer -6 rule add pref 200 iif "$1" prohibit
}

peering() {
  pair consumer pcx producer pcx
  ip -n consumer addr add 192.0.2.0/31 dev pcx
  ip -n producer addr add 192.0.2.1/31 dev pcx
  ip -n consumer -6 addr add fe80::1/64 dev pcx nodad
  ip -n producer -6 addr add fe80::2/64 dev pcx nodad
  lead consumer 192.0.2.1 10.2.0.0/16 "$THERE"
  lead producer 192.0.2.0 10.1.0.0/16 "$BACK"
  guard pcx
  ip -n consumer -6 route add 2600:1f18:2::/56 via fe80::2 dev pcx
  ip -n producer -6 route add 2600:1f18:1::/56 via fe80::1 dev pcx
}

# gateway: each VPC's router hands the other's network to the gateway, and the gateway's route table leads on to an
# attachment. A packet takes one hop more, and nothing but what the two VPCs sent is known there.
gateway() {
  space gateway
  for side in consumer producer; do
    pair $side tgw gateway $side
    if [ $side = consumer ]; then link=192.0.2.0 own=$CONSUMER other=$PRODUCER plan=$THERE; else link=192.0.2.2 own=$PRODUCER other=$CONSUMER plan=$BACK; fi
    ip -n $side addr add "$link/31" dev tgw
    ip -n gateway addr add "192.0.2.$((${link##*.} + 1))/31" dev $side
    lead $side "192.0.2.$((${link##*.} + 1))" "$other.0.0/16" "$plan"
    ip -n gateway route add "$own.0.0/16" via "$link"
  done
  guard tgw
}

world() {
  for s in sagemaker consumer producer; do space $s; done
  space database 0

  # Behind SageMaker's interface there is no way to a private network.
  ip netns exec sagemaker sh -c "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit"
  bridge sagemaker vpc 172.16.0.1/24
  ip -n sagemaker route add unreachable default

  # The consumer's VPC: one bridge per subnet; the router is base + 1, and fe80:ec2::1.
  for subnet in 0 1; do
    bridge consumer subnet$subnet $CONSUMER.$subnet.1/24
    ip -n consumer -6 addr add fe80:ec2::1/64 dev subnet$subnet nodad
    ip -n consumer -6 route add 2600:1f18:1:1$subnet::/64 dev subnet$subnet
  done

  pair producer subnet database eth0
  ip -n producer addr add "$ROUTER/$BITS" dev subnet
  ip -n producer -6 addr add fe80:ec2::1/64 dev subnet nodad
  ip -n producer -6 route add 2600:1f18:2::/64 dev subnet
  ip -n database addr add "$DATABASE/$BITS" dev eth0
  ip -n database -6 addr add 2600:1f18:2::10/64 dev eth0 nodad
  pair producer aside database eth1
  ip -n producer addr add "$ASIDE/$BITS" dev aside
  ip -n database addr add "$BESIDE/$BITS" dev eth1
  ip -n database route add default via "$ROUTER"
  ip -n database -6 route add default via fe80:ec2::1 dev eth0
}

connect() { # connect: the two VPCs, as PLAN says
  if [ -n "$GATEWAY" ]; then gateway; else peering; fi
}

notebook() { # notebook SPACE NUMBER INTERFACE SUBNET [late]: boots a notebook instance, as SageMaker leaves it
  space "$1" 0
  pair "$1" eth0 sagemaker "sm$2"
  ip -n sagemaker link set "sm$2" master vpc
  ip -n "$1" addr add "172.16.0.$2/24" dev eth0
  ip -n "$1" route add default via 172.16.0.1 dev eth0
  bridge "$1" docker0 172.17.0.1/16
  bridge "$1" br-sagemaker 172.18.0.1/16
  pair "$1" "$3" consumer "nb$2"
  ip -n consumer link set "nb$2" master "subnet$4"
  [ "${5-}" = late ] || address "$@"
}

address() { # address SPACE NUMBER INTERFACE SUBNET: gives the customer's interface its addresses and the VPC's route
  ip -n "$1" addr add "$CONSUMER.$4.$2/24" dev "$3"
  ip -n "$1" -6 addr add "2600:1f18:1:1$4::$2/128" dev "$3" nodad
  ip -n "$1" route add "$CONSUMER.0.0/16" via "$CONSUMER.$4.1" dev "$3"
}
