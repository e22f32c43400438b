package test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A browser is Chromium without a window, driven by the DevTools protocol over a pipe.
type browser struct {
	*testing.T
	in      io.Writer
	out     *bufio.Reader
	calls   int
	session string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	slow(t)
	needs(t, "chromium")
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir())
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{T: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.call("Browser.close", nil)
		in.Close()
		cmd.Wait()
		out.Close()
	})
	target := b.call("Target.createTarget", map[string]any{"url": "about:blank"})
	attached := b.call("Target.attachToTarget", map[string]any{"targetId": target["targetId"], "flatten": true})
	b.session, _ = attached["sessionId"].(string)
	return b
}

// call calls a method of the protocol and returns its result. Events are ignored.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.Helper()
	b.calls++
	request := map[string]any{"id": b.calls, "method": method, "params": params}
	if params == nil {
		delete(request, "params")
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	text, err := json.Marshal(request)
	if err == nil {
		_, err = b.in.Write(append(text, 0))
	}
	for err == nil {
		var answer struct {
			ID            int
			Result, Error map[string]any
		}
		if text, err = b.out.ReadBytes(0); err != nil {
			break
		}
		if err = json.Unmarshal(text[:len(text)-1], &answer); err == nil && answer.ID == b.calls {
			if answer.Error != nil {
				b.Fatalf("%s: %v", method, answer.Error)
			}
			return answer.Result
		}
	}
	b.Fatalf("%s: %v", method, err)
	return nil
}

// eval returns the value of an expression in the page.
func (b *browser) eval(expression string) any {
	b.Helper()
	answer := b.call("Runtime.evaluate", map[string]any{"expression": expression})
	value, _ := answer["result"].(map[string]any)
	return value["value"]
}

// await waits until an expression is true.
func (b *browser) await(expression string) {
	b.Helper()
	for range 600 {
		if b.eval(expression) == true {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatalf("never true: %s\n%v", expression, b.eval("document.documentElement.outerHTML"))
}

// open loads a page.
func (b *browser) open(address string) {
	b.Helper()
	b.call("Page.navigate", map[string]any{"url": address})
	b.await("document.readyState == 'complete' && location.href != 'about:blank'")
}

// size sets the width of the window.
func (b *browser) size(width int) {
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
}

// picture returns the window as PNG.
func (b *browser) picture() []byte {
	b.Helper()
	text, _ := b.call("Page.captureScreenshot", nil)["data"].(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		b.Fatalf("no picture: %v", err)
	}
	if dir := os.Getenv("PICTURES"); dir != "" {
		os.WriteFile(filepath.Join(dir, base64.RawURLEncoding.EncodeToString([]byte(time.Now().Format("150405.000")))+".png"), data, 0o644)
	}
	return data
}
