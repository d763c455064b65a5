#!/usr/bin/env bats
# examples/slurm on a real Slurm, all of it in the test's folder: a controller
# and two nodes on this host, each node with a process namespace of its own, so
# that all in it dies together.  As root.

# begin sets what is used; a test is a subshell, and what it sets stays there.
# shellcheck disable=SC2030,SC2031,SC2154
load ../tools/examples

setup() {
	begin
	[ "$(id -u)" = 0 ]	# a node starts jobs of its users
	make_data 3
	mkdir "$dir/state"
	export SLURM_CONF=$dir/slurm.conf
	host=$(hostname -s)
	port=$(free_ports)
	cat >"$SLURM_CONF" <<-END
	ClusterName=ossicle
	SlurmctldHost=$host(127.0.0.1)
	SlurmctldPort=$port
	SlurmUser=root
	AuthType=auth/munge
	AuthInfo=socket=$dir/munge.socket,cred_expire=2
	StateSaveLocation=$dir/state
	SlurmdSpoolDir=$dir/%n
	SlurmctldPidFile=$dir/slurmctld.pid
	SlurmdPidFile=$dir/%n.pid
	SlurmdParameters=config_overrides
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	JobAcctGatherType=jobacct_gather/none
	MpiDefault=none
	SelectType=select/cons_tres
	SelectTypeParameters=CR_CPU_Memory
	SchedulerParameters=sched_interval=1,batch_sched_delay=1
	ReturnToService=2
	NodeName=DEFAULT CPUs=1 RealMemory=2048
	NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1))
	NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2))
	PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
	END
	head -c 1024 /dev/urandom >"$dir/munge.key"
	chmod 400 "$dir/munge.key"
	munged --force --foreground --socket="$dir/munge.socket" \
	    --key-file="$dir/munge.key" --pid-file="$dir/munge.pid" \
	    --seed-file="$dir/munge.seed" --log-file="$dir/munge.log" \
	    2>"$dir/munged" 3>&- &
	munged=$!
	until munge -S "$dir/munge.socket" -n >"$dir/credential" 2>&1; do
		kill -0 $munged
		sleep 0.1
	done
	slurmctld -D >"$dir/slurmctld.log" 2>&1 3>&- &
	slurmctld=$!
	start_node 1
	start_node 2
	await_idle 2
}

teardown() {
	cut_power 1
	cut_power 2
	for daemon in "${slurmctld-}" "${munged-}"; do
		[ -z "$daemon" ] || kill -KILL "$daemon" || true
	done
	wait
}

# The first of three ports in a row that nobody listens on.
free_ports() {
	python3 - <<-END
	import socket
	for port in range(20000, 30000, 3):
	    try:
	        for i in range(3):
	            socket.socket().bind(("", port + i))
	    except OSError:
	        continue
	    print(port)
	    break
	END
}

# A process namespace each: who kills its first process kills all.
start_node() {
	unshare --pid --fork --kill-child --mount-proc \
	    slurmd -D -N "node$1" >>"$dir/slurmd.$1" 2>&1 3>&- &
	echo $! >"$dir/power.$1"
}

cut_power() {
	[ -e "$dir/power.$1" ] || return 0
	kill -KILL "$(cat "$dir/power.$1")" || true
	wait "$(cat "$dir/power.$1")" || true
	rm "$dir/power.$1"
}

# Until $1 nodes wait for work.
await_idle() {
	until [ "$(sinfo -h -N -t idle -o %n | wc -l)" = "$1" ]; do
		kill -0 "$slurmctld"
		sleep 0.1
	done
}

# Until nothing of the array is queued or runs.
await_end() {
	while [ -n "$(squeue -h)" ]; do sleep 0.1; done
}

# The script as it is, with the array and the memory of a small test.
submit() {
	sbatch --array=1-12 --cpus-per-task=1 --mem=1G \
	    --output="$dir/log-%a" \
	    --export="ALL,K=12,DATA=$data,MODEL=$model,OUT=$out" \
	    examples/slurm/shards.sbatch
}

@test "a node dies in the middle: its task goes back in the queue, and all is there" {
	run_calm 12
	set_trap 5
	submit
	await_trap
	victim=$(squeue -h -r -t running -o '%K %N' | sed -n 's/^5 node//p')
	cut_power "$victim"
	[ -n "$(list_halves)" ]
	list_shards >"$dir/before"
	# What a controller does by itself after SlurmdTimeout, or its operator.
	scontrol update nodename="node$victim" state=down reason=dead

	# The other node goes on alone; the task comes back.  Slurm gives what
	# may still run on the dead node two minutes, and we do not.
	until task=$(squeue -h -r -t pending -o '%K %A' | sed -n 's/^5 //p') &&
	    [ -n "$task" ]; do
		sleep 0.1
	done
	scontrol update jobid="$task" starttime=now
	await_end
	check_shards "$out/train" 12
	[ -z "$(list_halves)" ]
	[ -z "$(list_shards | comm -13 - "$dir/before")" ]
}

@test "a task is killed in the middle: the same command does what is missing" {
	run_calm 12
	set_trap 5
	submit
	await_trap
	echo >"$dir/die"	# as where memory runs out
	await_end
	[ -n "$(list_halves)" ]
	list_shards >"$dir/before"
	[ "$(wc -l <"$dir/before")" = 11 ]

	submit
	await_end
	check_shards "$out/train" 12
	[ -z "$(list_halves)" ]
	[ -z "$(list_shards | comm -13 - "$dir/before")" ]
	# Another model, and all is made again.
	cp -R "$model" "$dir/model"
	echo >>"$dir/model/tokenizer.json"
	model=$dir/model
	submit
	await_end
	[ "$(list_shards | comm -13 "$dir/before" - | wc -l)" = 12 ]
}
