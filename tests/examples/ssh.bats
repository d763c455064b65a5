#!/usr/bin/env bats
# examples/gnu-parallel on several hosts: a network namespace each, with a real
# sshd on its own address and processes that die together; parallel runs in
# another, the hub, and a cable goes from it to each node.  As root.

# begin sets what is used; a test is a subshell, and what it sets stays there.
# shellcheck disable=SC2030,SC2031,SC2154
load ../tools/examples

hub=ossicle-$$-hub

setup() {
	begin
	[ "$(id -u)" = 0 ]	# network namespaces are root's
	make_data 5
	mkdir -p /run/sshd	# where sshd goes to have no privileges
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
	echo "node* $(cut -d ' ' -f 1,2 "$dir/host_key.pub")" >"$dir/known"
	ip netns add "$hub"
	for n in 1 2 3; do
		add_node $n
		start_node $n
	done
	for n in 1 2 3; do
		await_node $n
	done
}

teardown() {
	for n in 1 2 3; do
		cut_power $n
		ip netns del "ossicle-$$-node$n"
	done
	ip netns del "$hub"
}

# The namespace of node $1, and the cable to it.
add_node() {
	local node=ossicle-$$-node$1

	ip netns add "$node"
	ip -n "$hub" link add "cable$1" type veth peer name eth0 netns "$node"
	ip -n "$hub" address add "10.77.$1.1/30" dev "cable$1"
	ip -n "$hub" link set "cable$1" up
	ip -n "$node" address add "10.77.$1.2/30" dev eth0
	cat >>"$dir/ssh_config" <<-END
	Host node$1
		HostName 10.77.$1.2
		HostKeyAlias node$1
	END
	cat >"$dir/sshd_config.$1" <<-END
	ListenAddress 10.77.$1.2
	HostKey $dir/host_key
	AuthorizedKeysFile $dir/key.pub
	StrictModes no
	PasswordAuthentication no
	PidFile none
	MaxStartups 100
	SetEnv PATH=$dir/trap:$BUILD:$PATH
	END
}

# A process namespace each: who kills its first process kills all.
start_node() {
	ip -n "ossicle-$$-node$1" link set eth0 up
	ip netns exec "ossicle-$$-node$1" unshare --pid --fork --kill-child \
	    --mount-proc "$(command -v sshd)" -D -e -f "$dir/sshd_config.$1" \
	    >>"$dir/sshd.$1" 2>&1 3>&- &
	echo $! >"$dir/power.$1"
}

# Nothing of it goes on, and nobody is told.
cut_power() {
	[ -e "$dir/power.$1" ] || return 0
	ip -n "ossicle-$$-node$1" link set eth0 down
	kill -KILL "$(cat "$dir/power.$1")" || true
	wait "$(cat "$dir/power.$1")" || true
	rm "$dir/power.$1"
}

# Known hosts and a key for the test alone, and little patience.
ssh_options() {
	echo "-F $dir/ssh_config -i $dir/key -o UserKnownHostsFile=$dir/known" \
	    "-o BatchMode=yes -o ConnectTimeout=2 -o ServerAliveInterval=1"
}

await_node() {
	# shellcheck disable=SC2046
	until ip netns exec "$hub" ssh $(ssh_options) "node$1" true; do
		kill -0 "$(cat "$dir/power.$1")"
		sleep 0.1
	done
}

# An example on the hub, with the nodes in --sshlogin.
on_nodes() {
	PARALLEL_SSH="ssh $(ssh_options)" ip netns exec "$hub" \
	    "$PWD/examples/gnu-parallel/$1" "${@:2}"
}

# The nodes that have done a job.
hosts_of_log() {
	awk 'NR > 1 && $7 == 0 { print $2 }' "$out/joblog-20" | sort -u | paste -s
}

@test "three hosts: one dies in the middle, the others take its jobs over" {
	run_calm 20
	set_trap 7
	on_nodes run "$data" "$model" "$out" 20 --retries 3 \
	    --sshlogin 2/node1,2/node2,2/node3 2>"$dir/said" 3>&- &
	run=$!
	await_trap
	cut_power "$node"
	[ -n "$(list_halves)" ]

	wait $run
	check_shards "$out/train" 20
	[ -z "$(list_halves)" ]
	# The others, and perhaps the dead one before, have worked.
	[ "$(hosts_of_log | wc -w)" -ge 2 ]
}

@test "two hosts: one dies, and is back: the same command does what is missing" {
	run_calm 20
	set_trap 7
	on_nodes run "$data" "$model" "$out" 20 \
	    --sshlogin 1/node1,1/node2 2>"$dir/said" 3>&- &
	run=$!
	await_trap
	cut_power "$node"
	if wait $run; then false; fi
	[ -n "$(list_halves)" ]
	list_shards >"$dir/before"
	[ "$(wc -l <"$dir/before")" -ge 6 ]
	[ "$(wc -l <"$dir/before")" -lt 20 ]

	start_node "$node"
	await_node "$node"
	on_nodes run "$data" "$model" "$out" 20 --sshlogin 1/node1,1/node2
	check_shards "$out/train" 20
	[ -z "$(list_halves)" ]
	[ "$(hosts_of_log)" = $'node1\tnode2' ]
	[ -z "$(list_shards | comm -13 - "$dir/before")" ]
}

@test "--pipe over three hosts: the parts make the whole, or nothing" {
	# The second part takes its node with it.
	mkdir "$dir/trap"
	mkfifo "$dir/sprung"
	: >"$dir/armed"
	cat >"$dir/trap/melspec" <<-END
	#!/bin/bash
	if rm "$dir/armed" 2>/dev/null; then
		echo "\$SSH_CONNECTION" >"$dir/sprung"
		exec sleep 900
	fi
	exec "$BUILD/melspec" "\$@"
	END
	chmod +x "$dir/trap/melspec"
	local -a piped=("$data" "$model" "$dir/piped.zst" --block 1M
	    --sshlogin "1/node1,1/node2,1/node3")

	on_nodes pipe "${piped[@]}" 2>"$dir/said" 3>&- &
	run=$!
	await_trap
	cut_power "$node"
	if wait $run; then false; fi
	[ ! -e "$dir/piped.zst" ]

	start_node "$node"
	await_node "$node"
	on_nodes pipe "${piped[@]}"
	jsonl-split -q "$data" | dpo-pair -q | audio-check -q | melspec |
	    tokpack -q -m "$model" -r "$dir/rejects" -o "$dir/whole.zst"
	diff <(shard-cat "$dir/whole.zst") <(shard-cat "$dir/piped.zst")
	cmp "$dir/rejects" "$dir/piped.zst.rejects.jsonl"
	diff <(shard-cat --lengths "$dir/whole.zst") \
	    <(shard-cat --lengths "$dir/piped.zst")
}
