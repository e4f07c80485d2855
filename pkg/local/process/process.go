// Package process starts the children of the local engine so that none of them
// outlives it: each child leads a process group of its own, is told to go
// politely, and is killed with all its descendants if it does not.
//
// On Linux the kernel also kills a child when the engine itself dies without a
// chance to clean up.
package process

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Child is a started process and its group.
type Child struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// Start starts cmd as the leader of a new process group.
func Start(cmd *exec.Cmd) (*Child, error) {
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = time.Second
	if err := onLastingThread(cmd.Start); err != nil {
		return nil, err
	}
	c := &Child{cmd: cmd, exited: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// PID is the id of the process, which is also the id of its group.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Exited is closed when the process has ended and was waited for.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Err says how the process ended; it is nil before the end and after exit
// status 0.
func (c *Child) Err() error {
	select {
	case <-c.exited:
		return c.err
	default:
		return nil
	}
}

// Kill ends the whole group at once and waits for the process.
func (c *Child) Kill() {
	c.signal(syscall.SIGKILL)
	<-c.exited
}

// Stop asks the group to end, and kills it when the process is still there
// after grace.
func (c *Child) Stop(grace time.Duration) {
	c.signal(syscall.SIGTERM)
	select {
	case <-c.exited:
		// Descendants that ignored the request go too.
		c.signal(syscall.SIGKILL)
	case <-time.After(grace):
		c.Kill()
	}
}

// signal reaches every process of the group. The group may be gone already,
// which is what we want, so the error says nothing.
func (c *Child) signal(s syscall.Signal) { _ = syscall.Kill(-c.PID(), s) }

var lasting struct {
	once sync.Once
	work chan func()
}

// onLastingThread runs start on one thread that lives as long as the program.
// The kernel sends the parent-death signal when the *thread* that started a
// child ends, not the process (prctl(2), PR_SET_PDEATHSIG), and the Go runtime
// may end threads.
func onLastingThread(start func() error) error {
	lasting.once.Do(func() {
		lasting.work = make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range lasting.work {
				f()
			}
		}()
	})
	done := make(chan error, 1)
	lasting.work <- func() { done <- start() }
	return <-done
}
