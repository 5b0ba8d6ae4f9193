package share_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/hatchery-spawn/hatchery/host/share"
)

func Example() {
	dir, err := os.MkdirTemp("", "share")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "greeting")
	os.WriteFile(name, []byte("good morning"), 0o600)

	pool := share.New(share.Config[string, *os.File]{
		Open: func(_ context.Context, name string) (*os.File, error) {
			fmt.Println("open")
			return os.Open(name)
		},
		Close: func(_ string, f *os.File) error {
			fmt.Println("close")
			return f.Close()
		},
	})

	read := func(n int64) {
		l, err := pool.Acquire(context.Background(), name)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer l.Release()
		text, _ := io.ReadAll(io.NewSectionReader(l.Value(), 0, n))
		fmt.Printf("%s\n", text)
	}
	l, err := pool.Acquire(context.Background(), name) // for as long as there are readers
	if err != nil {
		fmt.Println(err)
		return
	}
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() { read(4) })
	}
	readers.Wait()
	fmt.Println(l.Release())
	read(12)
	// Output:
	// open
	// good
	// good
	// good
	// close
	// <nil>
	// open
	// good morning
	// close
}
