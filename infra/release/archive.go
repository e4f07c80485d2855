package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// zipAll zips each function of a folder, and returns the names of the files by that of the function. A name has the sum of what is in it: CloudFormation
// updates a function when the name of its code changes.
func zipAll(functions, out string) (map[string]string, error) {
	binaries, err := filepath.Glob(filepath.Join(functions, "*", "bootstrap"))
	if err != nil {
		return nil, err
	}
	if len(binaries) == 0 {
		return nil, fmt.Errorf("%s has no functions: run make package", functions)
	}
	files := map[string]string{}
	for _, path := range binaries {
		name := filepath.Base(filepath.Dir(path))
		binary, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		archive, err := zipped(binary)
		if err != nil {
			return nil, fmt.Errorf("zipping %s: %w", name, err)
		}
		files[name] = fmt.Sprintf("%s.%x.zip", name, sha256.Sum256(archive))
		if err := os.WriteFile(filepath.Join(out, files[name]), archive, 0o644); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// zipped returns a function as Lambda takes it: one file named bootstrap that may be executed. Its time is the oldest that a zip can say.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func zipped(binary []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
