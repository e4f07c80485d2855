package picture

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Server shows the picture, live, to whoever sits at this machine.
//
// It answers GET of the page, of its data (/map.json, with an ETag that changes when the picture does) and of its drawing (/map.svg), to nobody who calls it by
// another name than a loopback one: a page elsewhere whose name leads to 127.0.0.1 cannot read it.
type Server struct {
	// Read makes the document anew.
	Read func(context.Context) (Map, error)
	// Every is for how long a document is good: it is made when somebody asks, and at most once in that time. At least a second.
	Every time.Duration

	mu   sync.Mutex
	made time.Time
	kept rendered
}

// rendered is a document as it is answered.
type rendered struct {
	tag             string
	page, data, svg []byte
}

// Listen opens an address of this machine, "127.0.0.1:0" for any free port, and returns what serves it until ctx ends, and the page's URL. It refuses
// an address that others can reach.
func (s *Server) Listen(ctx context.Context, address string) (serve func() error, url string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, "", fmt.Errorf("opening %s for the picture: %w", address, err)
	}
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() {
		_ = l.Close()
		return nil, "", fmt.Errorf("opening %s for the picture: others can reach it, and the picture is for this machine alone: use 127.0.0.1", address)
	}
	server := &http.Server{Handler: s.Handler(at.Port), ReadHeaderTimeout: 10 * time.Second}
	return func() error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(l); ctx.Err() == nil {
			return fmt.Errorf("serving the picture: %w", err)
		}
		return nil
	}, "http://" + at.String() + "/", nil
}

// Handler answers at a port of a loopback address.
func (s *Server) Handler(port int) http.Handler {
	p := strconv.Itoa(port)
	names := []string{"127.0.0.1:" + p, "localhost:" + p, "[::1]:" + p}
	mux := http.NewServeMux()
	answer := func(kind string, of func(rendered) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			made, err := s.now(r.Context())
			if err != nil {
				http.Error(w, "the ledger could not be read", http.StatusServiceUnavailable) // why is said where the command runs
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("ETag", made.tag)
			if r.Header.Get("If-None-Match") == made.tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = w.Write(of(made))
		}
	}
	mux.HandleFunc("GET /{$}", answer("text/html; charset=utf-8", func(r rendered) []byte { return r.page }))
	mux.HandleFunc("GET /map.json", answer("application/json", func(r rendered) []byte { return r.data }))
	mux.HandleFunc("GET /map.svg", answer("image/svg+xml; charset=utf-8", func(r rendered) []byte { return r.svg }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy(drawing+style, s.live())+"; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if !slices.Contains(names, r.Host) {
			http.Error(w, "call this by its own address, "+names[0], http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) every() time.Duration { return max(s.Every, time.Second) }

func (s *Server) live() Live { return Live{Seconds: int(s.every() / time.Second)} }

// now is the document as it is, or was a moment ago.
func (s *Server) now(ctx context.Context) (rendered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made.IsZero() && time.Since(s.made) < s.every() {
		return s.kept, nil
	}
	m, err := s.Read(ctx)
	if err != nil {
		return rendered{}, err
	}
	still := m
	still.At = time.Time{}
	was, err := json.Marshal(still)
	if err != nil {
		return rendered{}, fmt.Errorf("writing the picture's data: %w", err)
	}
	if tag := `"` + digest(string(was)) + `"`; tag != s.kept.tag {
		page, err := Page(m, s.live())
		if err != nil {
			return rendered{}, err
		}
		data, err := json.Marshal(struct {
			Map
			Sentence string `json:"sentence"`
			Where    string `json:"where"`
		}{m, m.Sentence(), m.where()})
		if err != nil {
			return rendered{}, fmt.Errorf("writing the picture's data: %w", err)
		}
		s.kept = rendered{tag, []byte(page), data, []byte(Drawing(m))}
	}
	s.made = time.Now()
	return s.kept, nil
}
