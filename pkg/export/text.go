package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// Text implements [answer.Document]: the code as it is. Of several files each has its name above it.
func (e Export) Text(p *answer.Page) {
	for _, f := range e.Files {
		if len(e.Files) > 1 {
			p.Gap()
			p.Verbatim(fmt.Sprintf("# ==== %s\n", f.Name))
		}
		p.Verbatim(f.Text)
	}
}

// Save writes the files of the code into a folder, none over one that is there, and returns their paths.
func (e Export) Save(dir string) ([]string, error) {
	var out []string
	for _, f := range e.Files {
		path := filepath.Join(dir, f.Name)
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return out, &fault.Error{Kind: fault.Invalid, Message: "writing the code: " + path + " is there already", Remedy: "take it away, or name another folder with --dir"}
		}
		if err == nil {
			_, err = strings.NewReader(f.Text).WriteTo(file)
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return out, fmt.Errorf("writing the code: %w", err)
		}
		out = append(out, path)
	}
	return out, nil
}
