package plan

import "testing"

func TestBefore63(t *testing.T) {
	for release, want := range map[string]bool{"5.15.0-91-generic\n": true, "6.2.16": true, "6.3.0": false, "6.18.44-x": false, "7.0": false, "strange": false} {
		if got := before63(release); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}

func TestSecondsOf(t *testing.T) {
	for text, want := range map[string]string{"0s": "0 0", "1.5s": "1 500000000", "-1.5s": "-2 500000000", "-2s": "-2 0"} {
		var o Options
		if err := o.setClock("boottime:" + text); err != nil {
			t.Fatal(err)
		}
		if got := secondsOf(o.Boottime); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
