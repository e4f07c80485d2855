package netproof

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Addresses of the database in the producer's VPC.
const (
	IPv4 = "10.2.0.10"
	IPv6 = "2600:1f18:2::10"
)

// A Client logs in to one of the databases and asks a question, from a notebook.
type Client struct {
	Name    string
	Port    int
	Command func(address string, seconds int) []string // seconds bound the attempt to connect
}

const (
	question = "SELECT SUM(amount) FROM orders"
	answer   = "42"
	password = "portcullis"
	sample   = "CREATE TABLE orders (amount INT); INSERT INTO orders VALUES (20), (22);"
)

// Databases starts a MariaDB and a PostgreSQL in the producer's VPC, with password login for the user analyst, and
// returns their clients. Where a package is missing it starts plain TCP servers on the same ports instead.
func (w *World) Databases(ctx context.Context) (clients []Client, real bool, err error) {
	mariadbd, err1 := lookPath("mariadbd")
	mariadb, err2 := lookPath("mariadb")
	install, err3 := lookPath("mariadb-install-db")
	postgres, initdb, psql := debian("postgres"), debian("initdb"), debian("psql")
	if err1 != nil || err2 != nil || err3 != nil || postgres == "" || initdb == "" || psql == "" || w.postgres == nil {
		clients, err = w.plain(ctx)
		return clients, false, err
	}
	errs := make(chan error, 2)
	go func() { errs <- w.mariadb(ctx, mariadbd, install, mariadb) }()
	go func() { errs <- w.postgresql(ctx, postgres, initdb, psql) }()
	for range 2 {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return []Client{
		{"mariadb to MariaDB", 3306, func(address string, seconds int) []string {
			return []string{mariadb, "--no-defaults", "--host=" + address, "--port=3306", "--user=analyst", "--password=" + password, fmt.Sprint("--connect-timeout=", seconds), "--batch", "--skip-column-names", "--execute=" + question, "sales"}
		}},
		{"psql to PostgreSQL", 5432, func(address string, seconds int) []string {
			return []string{"env", "PGPASSWORD=" + password, psql, "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--command=" + question,
				fmt.Sprintf("host=%s port=5432 user=analyst dbname=sales connect_timeout=%d", address, seconds)}
		}},
	}, true, err
}

// debian finds a program of PostgreSQL where Debian puts it, in the newest version.
func debian(program string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(found) == 0 {
		return ""
	}
	return slices.Max(found)
}

func (w *World) mariadb(ctx context.Context, mariadbd, install, mariadb string) error {
	dir := filepath.Join(w.dir, "mariadb")
	socket := filepath.Join(w.dir, "mariadb.sock")
	if err := w.run(w.command(ctx, "database", install, "--no-defaults", "--user=root", "--datadir="+dir, "--auth-root-authentication-method=normal", "--skip-test-db")); err != nil {
		return err
	}
	server := w.command(ctx, "database", mariadbd, "--no-defaults", "--user=root", "--datadir="+dir, "--socket="+socket, "--pid-file="+filepath.Join(w.dir, "mariadb.pid"),
		"--bind-address=*", "--port=3306", "--skip-name-resolve", "--skip-log-bin", "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=32M")
	sql := "CREATE DATABASE sales; USE sales; " + sample + " CREATE USER analyst@'%' IDENTIFIED BY '" + password + "'; GRANT SELECT ON sales.* TO analyst@'%';"
	return w.serve(ctx, "mariadb", server, mariadb, "--no-defaults", "--socket="+socket, "--user=root", "--execute="+sql)
}

func (w *World) postgresql(ctx context.Context, postgres, initdb, psql string) error {
	dir := filepath.Join(w.dir, "postgresql") // a directory of its own also for the socket: the server is another user
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	as := func(args ...string) []string { return slices.Concat(w.postgres, args) }
	if w.postgres[0] == "setpriv" {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			return err
		}
	}
	if err := w.run(w.command(ctx, "database", as(initdb, "--pgdata="+data, "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")...)); err != nil {
		return err
	}
	// Only over the network must a client know the password.
	access := "local all postgres trust\nhost sales analyst all scram-sha-256\n"
	hba := filepath.Join(w.dir, "pg_hba.conf")
	if err := os.WriteFile(hba, []byte(access), 0o644); err != nil {
		return err
	}
	server := w.command(ctx, "database", as(postgres, "-D", data, "-F", "-k", dir, "-p", "5432", "-c", "listen_addresses=*", "-c", "hba_file="+hba)...)
	sql := sample + " CREATE USER analyst PASSWORD '" + password + "'; GRANT SELECT ON orders TO analyst;"
	if err := w.serve(ctx, "postgresql", server, psql, "--no-psqlrc", "--host="+dir, "--username=postgres", "--command=CREATE DATABASE sales"); err != nil {
		return err
	}
	return w.run(w.command(ctx, "database", psql, "--no-psqlrc", "--quiet", "--host="+dir, "--username=postgres", "--dbname=sales", "--command="+sql))
}

// serve starts a server and repeats a first command until it answers, at most half a minute.
func (w *World) serve(ctx context.Context, name string, server *exec.Cmd, first ...string) error {
	log, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		return err
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait(); _ = log.Close() }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := w.run(w.command(ctx, "database", first...))
		if err == nil {
			return nil
		}
		select {
		case died := <-ended:
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s ended (%v): %s", name, died, text)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("starting %s: %w", name, err)
		}
	}
}

// plain starts servers that send one line to whoever connects, on the databases' ports.
func (w *World) plain(ctx context.Context) ([]Client, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, fmt.Errorf("neither the database packages (pkg/lifecycle/netproof/install.sh) nor python3: %w", err)
	}
	var clients []Client
	for name, number := range map[string]int{"MySQL's port 3306": 3306, "PostgreSQL's port 5432": 5432} {
		port := strconv.Itoa(number)
		const server = `import socket, sys
s = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    c, _ = s.accept()
    c.sendall(b"42\n"); c.close()`
		const client = `import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]))
sys.stdout.write(c.makefile().read())`
		err := w.serve(ctx, "tcp"+port, w.command(ctx, "database", python, "-c", server, port), python, "-c", client, "127.0.0.1", port, "1")
		if err != nil {
			return nil, err
		}
		clients = append(clients, Client{"TCP to " + name, number, func(address string, seconds int) []string {
			return []string{python, "-c", client, address, port, fmt.Sprint(seconds)}
		}})
	}
	slices.SortFunc(clients, func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
	return clients, nil
}

// Ask logs in from a notebook and runs a query; seconds bound the attempt to connect. It returns nil only for the
// right answer.
func (c Client) Ask(ctx context.Context, n *Notebook, address string, seconds int) error {
	out, err := n.Command(ctx, c.Command(address, seconds)...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return fmt.Errorf("%s at %s: %s", c.Name, address, strings.Join(strings.Fields(text), " "))
	}
	if text != answer {
		return fmt.Errorf("%s at %s answered %q, want %q", c.Name, address, text, answer)
	}
	return nil
}
