package keeper

// A State is what a host's half of a keeper has under way.
type State struct {
	Launches int // not answered; Window is how many there may be at once
	Requests int // of any kind that are waited for, launches included
	Children int // whose exit has not been told
	Sending  bool

	// Unread is how many bytes the keeper has been sent and has not read,
	// Unheard how many it has sent and this process has not read, both as
	// the kernel counts them. They are -1 when it does not say.
	Unread, Unheard int
}

// Window is how many launches may be under way at once.
const Window = 128
