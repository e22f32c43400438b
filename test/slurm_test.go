package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"quire/lib/process"
)

// slurmPrograms are in Debian's packages munge, slurmctld, slurmd and slurm-client.
var slurmPrograms = []string{"munged", "slurmctld", "slurmd", "srun", "scancel", "squeue"}

// A slurm is a real cluster on this machine's loopback: a controller, and several nodes,
// each with its own daemon. All of its state is below dir.
type slurm struct {
	dir  string
	conf string // the value of SLURM_CONF
}

// newSlurm starts a cluster of the nodes n1 and on, of two processors each, with further
// lines for its slurm.conf. It returns when all nodes take jobs.
func newSlurm(nodes int, lines ...string) (*slurm, error) {
	dir, err := os.MkdirTemp("", "quire-slurm")
	if err != nil {
		return nil, err
	}
	s := &slurm{dir: dir, conf: filepath.Join(dir, "slurm.conf")}
	if err := s.configure(nodes, lines); err != nil {
		return nil, errors.Join(err, s.end())
	}
	err = s.start("munged", "munged", "--foreground", "--num-threads=2",
		"--key-file="+s.path("munge/key"), "--socket="+s.path("munge/socket"),
		"--pid-file="+s.path("munge/pid"), "--log-file="+s.path("munge/log"), "--seed-file="+s.path("munge/seed"))
	if err == nil {
		err = s.await("munge", func() bool { _, err := os.Stat(s.path("munge/socket")); return err == nil })
	}
	if err == nil {
		err = s.startController()
	}
	for i := range nodes {
		if err == nil {
			err = s.start(node(i+1), "slurmd", "-D", "-N", node(i+1))
		}
	}
	if err == nil {
		err = s.await("nodes", func() bool {
			idle, err := s.command("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").Output()
			return err == nil && bytes.Count(idle, []byte("\n")) == nodes
		})
	}
	if err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

func node(n int) string { return "n" + strconv.Itoa(n) }

func (s *slurm) path(name string) string { return filepath.Join(s.dir, name) }

// freezer is the control group hierarchy in which Slurm finds the processes of a job.
const freezer = "/sys/fs/cgroup/freezer"

// configure writes the configuration of the cluster, as in quire-cluster(7). Slurm names a
// control group by the node and the id of the job, and clusters of other tests have nodes of
// the same names: so the ids of jobs differ, or one cluster would kill the jobs of another.
// Nothing in it needs systemd or a host name that resolves.
func (s *slurm) configure(nodes int, lines []string) error {
	if err := os.Chmod(s.dir, 0o755); err != nil { // munged refuses a socket that is out of reach
		return err
	}
	ports, err := freePorts(nodes + 1)
	if err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `ClusterName=quire
SlurmctldHost=localhost
SlurmctldPort=%[2]d
AuthInfo=socket=%[1]s/munge/socket
SlurmUser=root
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/%%n
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/%%n/pid
MailProg=/bin/true
ProctrackType=proctrack/cgroup
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=3
MessageTimeout=3
KillWait=30
InactiveLimit=5
FirstJobId=%[3]d
`, s.dir, ports[0], 1000*ports[0])
	for i, port := range ports[1:] {
		fmt.Fprintf(&conf, "NodeName=%s NodeHostname=localhost NodeAddr=127.0.0.1 Port=%d CPUs=2\n", node(i+1), port)
		if err := os.MkdirAll(s.path(node(i+1)), 0o755); err != nil {
			return err
		}
	}
	fmt.Fprintln(&conf, "PartitionName=ci Nodes=ALL Default=YES")
	fmt.Fprintln(&conf, strings.Join(lines, "\n"))
	for _, name := range []string{"state", "munge"} {
		if err := os.MkdirAll(s.path(name), 0o755); err != nil {
			return err
		}
	}
	const cgroup = "CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\n"
	return errors.Join(
		os.WriteFile(s.path("munge/key"), bytes.Repeat([]byte("not a secret\n"), 10), 0o600),
		os.WriteFile(s.path("cgroup.conf"), []byte(cgroup), 0o644),
		os.WriteFile(s.conf, []byte(conf.String()), 0o644))
}

// command returns a command for this cluster and no other.
func (s *slurm) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SLURM_CONF=" + s.conf}
	return cmd
}

// start starts a daemon under a name, so that kill finds it and its children.
func (s *slurm) start(name, program string, args ...string) error {
	log, err := os.OpenFile(s.path(name+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command(program, args...)
	cmd.Env = append(cmd.Env, s.mark(name))
	cmd.Stdout, cmd.Stderr = log, log
	group, err := process.Start(cmd)
	if err != nil {
		return err
	}
	go group.Wait()
	return nil
}

func (s *slurm) mark(name string) string { return "SLURM_TEST_DAEMON=" + s.path(name) }

// startController starts the controller, with the saved jobs of an earlier one.
func (s *slurm) startController() error {
	if err := s.start("controller", "slurmctld", "-D"); err != nil {
		return err
	}
	return s.await("controller", func() bool { return s.command("scontrol", "ping").Run() == nil })
}

// stopController ends the controller normally, so that it saves its jobs.
func (s *slurm) stopController() error {
	return process.EndEnviron(time.Minute, s.mark("controller"))
}

// kill ends a node and its jobs by SIGKILL.
func (s *slurm) kill(node string) error {
	return process.EndEnviron(0, s.mark(node))
}

// end ends the cluster with all of its jobs, and removes it.
func (s *slurm) end() error {
	return errors.Join(process.EndEnviron(0, "SLURM_CONF="+s.conf), os.RemoveAll(s.dir))
}

// await polls for an event that Slurm cannot report.
func (s *slurm) await(what string, happened func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ; !happened(); time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil {
			return fmt.Errorf("waited in vain for %s of slurm\n%s", what, s.logs())
		}
	}
	return nil
}

// logs returns the logs of all daemons.
func (s *slurm) logs() string {
	var all strings.Builder
	files, _ := filepath.Glob(s.path("*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(&all, "%s:\n%s", filepath.Base(file), text)
	}
	return all.String()
}
