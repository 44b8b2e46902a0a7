"""Nodes on this host: each a namespace with a network leg, a host name and, if asked, a rate of its own. Wants root."""
import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile


def call(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


class Refused(Exception):
    """What this machine does not let one do."""


class Network:
    """A bridge with a leg for each node; gone when it is left, with all processes on it.

    `prefix` keeps two networks apart: its nodes' namespaces are prefix-node, its addresses subnet.1, subnet.2, … in the order of the nodes."""

    def __init__(self, nodes, prefix="sft", bridge="sftbridge", subnet="10.77.0"):
        self.nodes, self.prefix, self.bridge, self.subnet = list(nodes), prefix, bridge, subnet
        self.gateway = f"{subnet}.254"  # this host, as the nodes see it

    def __enter__(self):
        if not shutil.which("ip"):
            raise Refused("there is no ip; on Debian:  apt-get install iproute2")
        self.lock = open(pathlib.Path(tempfile.gettempdir()) / f"{self.bridge}.lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # another run's network is not ours to clear
        self.clear()  # of a run that was killed
        try:
            self.step("ip", "link", "add", self.bridge, "type", "bridge")
            self.step("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge)
            self.step("ip", "link", "set", self.bridge, "up")
            for node in self.nodes:
                space = f"{self.prefix}-{node}"
                self.step("ip", "netns", "add", space)
                self.step("ip", "link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
                self.step("ip", "link", "set", space, "master", self.bridge, "up")
                self.step("ip", "-n", space, "address", "add", f"{self.address(node)}/24", "dev", "eth0")
                self.step("ip", "-n", space, "link", "set", "eth0", "up")
                self.step("ip", "-n", space, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.clear()
        self.lock.close()

    @staticmethod
    def step(*command):
        done = call(*command)
        if done.returncode:
            raise Refused(f"{' '.join(map(str, command))}: {done.stderr.strip()}")

    def address(self, node):
        return f"{self.subnet}.{self.nodes.index(node) + 1}"

    def limit(self, rate):
        """Each leg sends and is sent at most `rate`, as tc writes it: "1gbit"."""
        for node in self.nodes:
            space = f"{self.prefix}-{node}"
            shaped = ["root", "tbf", "rate", rate, "burst", "1mb", "latency", "50ms"]
            self.step("tc", "qdisc", "replace", "dev", space, *shaped)
            self.step("tc", "-n", space, "qdisc", "replace", "dev", "eth0", *shaped)

    def within(self, node):
        """What stands before a command that is to run on the node."""
        return ["ip", "netns", "exec", f"{self.prefix}-{node}", "unshare", "--uts", "sh", "-c", f'hostname {node} && exec "$@"', "sh"]

    def mpirun(self, agent, ranks, *options):
        """Open MPI's launcher over all nodes, rank by rank in turn. `agent`: a file that is written, which stands for ssh."""
        cases = "".join(f"  {self.address(node)}) set -- {shlex.join(self.within(node))} ;;\n" for node in self.nodes)
        pathlib.Path(agent).write_text(f'#!/bin/bash\nhost=$1; shift; line="$*"\ncase $host in\n{cases}esac\nexec "$@" bash -c "$line"\n')
        pathlib.Path(agent).chmod(0o755)
        hosts = ",".join(f"{self.address(node)}:{ranks}" for node in self.nodes)
        over = f"{self.subnet}.0/24"
        return ["mpirun", "--mca", "plm_rsh_agent", agent, "--mca", "btl_tcp_if_include", over, "--mca", "oob_tcp_if_include", over, "--mca", "mpi_yield_when_idle", "1",
                "--bind-to", "none", "--map-by", "node", "-H", hosts, "-np", str(ranks), *options]

    def cut_off(self, node):
        """Nothing that the node sends or is sent arrives any more, and nobody is told."""
        call("ip", "link", "set", f"{self.prefix}-{node}", "down", check=True)

    def connect(self, node):
        call("ip", "link", "set", f"{self.prefix}-{node}", "up", check=True)

    def processes_of(self, node):
        return [int(process) for process in call("ip", "netns", "pids", f"{self.prefix}-{node}").stdout.split()]

    def clear(self):
        """Takes the namespaces away, with what still runs in them."""
        for node in self.nodes:
            for left in self.processes_of(node):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
            call("ip", "netns", "del", f"{self.prefix}-{node}")
            for left in pathlib.Path("/dev/shm").glob(f"vader_segment.{node}.{os.getuid()}.*"):
                left.unlink()  # of launchers that were killed
        call("ip", "link", "del", self.bridge)
