//go:build unix

package keeper

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// sites are the folders in which this keeper makes folders for children. Each is
// noted before it is used, so that what a killed keeper leaves is found.
type sites struct {
	mu   sync.Mutex
	fds  map[string]int
	mark string // what the names of the folders made begin with
}

// maxPlaces bounds how many are open.
const maxPlaces = 64

// make makes a folder for a child, its nth.
func (p *sites) make(k *keeper, parent string, id uint64, n int) (folder, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for again := false; ; again = true {
		dir, err := p.open(k, parent)
		if err != nil {
			return folder{}, err
		}
		name := p.mark + strconv.FormatUint(id, 10)
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		fd, err := linux.MakeFolderAt(dir, name)
		if err == nil {
			return folder{fd: fd, name: name}, nil
		}
		if again || !errors.Is(err, syscall.ENOENT) {
			return folder{}, err
		}
		syscall.Close(dir) // it was removed, and there may be another by that name
		delete(p.fds, parent)
	}
}

// open returns a descriptor of a place, which stays open. It sees what the keeper
// saw when it was started. The caller holds mu.
func (p *sites) open(k *keeper, path string) (fd int, err error) {
	if fd, ok := p.fds[path]; ok {
		return fd, nil
	}
	if len(p.fds) >= maxPlaces {
		return -1, syscall.EMFILE
	}
	k.rooted.do(func() {
		if fd, err = linux.OpenFolder(path); err != nil {
			return
		}
		if p.mark == "" {
			s, _ := linux.ReadStat(os.Getpid())
			p.mark = madeMark(os.Getpid(), s.StartTime)
			p.note(k, p.mark)
		}
		p.note(k, path)
	})
	if err == nil {
		if p.fds == nil {
			p.fds = map[string]int{}
		}
		p.fds[path] = fd
	}
	return fd, err
}

// note adds a text to the notes. When it cannot, as with the record, nobody will
// find there what is left.
func (p *sites) note(k *keeper, text string) {
	if k.folder == "" {
		return
	}
	f, err := os.OpenFile(PlacesPath(k.folder, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	f.WriteString(text + "\x00")
	f.Close()
}
