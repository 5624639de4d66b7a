package guest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Fill writes bytes that follow from a seed and waits until they are stored.
func (*Node) Fill(args FillArgs, ended *Outcome) error {
	*ended = outcome(fill(args))
	return nil
}

func fill(args FillArgs) error {
	file, err := os.OpenFile(args.Path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, bytesOf(args.Seed, args.Size))
	return errors.Join(err, file.Sync(), file.Close())
}

func bytesOf(seed uint64, size int64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return io.LimitReader(rand.NewChaCha8(key), size)
}

// Expect is the sum of what Fill writes.
func Expect(seed uint64, size int64) (Sum, error) { return SumOf(bytesOf(seed, size)) }

// SumOf reads to the end.
func SumOf(from io.Reader) (Sum, error) {
	hash := sha256.New()
	size, err := io.Copy(hash, from)
	return Sum{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size}, err
}

// Sum reads the first bytes of a file or device.
func (*Node) Sum(args SumArgs, found *Sum) error {
	file, err := os.Open(args.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	*found, err = SumOf(io.LimitReader(file, args.Size))
	return err
}

// Write makes a small file and waits until it is stored.
func (*Node) Write(args WriteArgs, ended *Outcome) error {
	file, err := os.OpenFile(args.Path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		*ended = outcome(err)
		return nil
	}
	_, err = file.Write(args.Content)
	*ended = outcome(errors.Join(err, file.Sync(), file.Close()))
	return nil
}

// Read returns a small file.
func (*Node) Read(path string, content *[]byte) (err error) {
	*content, err = os.ReadFile(path)
	return err
}

// Records returns all that is recorded of volumes.
func (*Node) Records(_ Nothing, text *[]byte) error {
	for _, pattern := range []string{"/run/attached/*/*", "/run/mounted/*/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			*text = append(*text, content...)
		}
	}
	return nil
}
