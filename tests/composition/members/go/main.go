// Go net/http with its own JSON, form, multipart, XML and CSV readers.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
)

var count int64

func views(r *http.Request, body []byte) []string {
	out := []string{r.URL.Path, fmt.Sprint(map[string][]string(r.URL.Query())), fmt.Sprint(map[string][]string(r.Header)), fmt.Sprint(r.Cookies())}
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(z)
		}
	case "deflate":
		if z, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(z)
		}
	}
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case strings.HasSuffix(kind, "json") || kind == "application/jsonl":
		decoder := json.NewDecoder(bytes.NewReader(body))
		for {
			var value interface{}
			if decoder.Decode(&value) != nil {
				break
			}
			out = append(out, fmt.Sprintf("%v", value))
		}
	case kind == "application/x-www-form-urlencoded":
		if values, err := url.ParseQuery(string(body)); err == nil {
			out = append(out, fmt.Sprint(map[string][]string(values)))
		}
	case strings.HasPrefix(kind, "multipart/"):
		reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
		for {
			part, err := reader.NextPart()
			if err != nil {
				break
			}
			content, _ := io.ReadAll(part)
			out = append(out, part.FormName(), part.FileName(), string(content))
		}
	case strings.HasSuffix(kind, "xml"):
		decoder := xml.NewDecoder(bytes.NewReader(body))
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			switch it := token.(type) {
			case xml.CharData:
				out = append(out, string(it))
			case xml.StartElement:
				out = append(out, fmt.Sprint(it.Name.Local, it.Attr))
			}
		}
	case kind == "text/csv" || kind == "text/tab-separated-values":
		for _, mark := range ",;\t" {
			reader := csv.NewReader(bytes.NewReader(body))
			reader.Comma, reader.FieldsPerRecord = mark, -1
			if rows, err := reader.ReadAll(); err == nil {
				out = append(out, fmt.Sprint(rows))
			}
		}
	default:
		out = append(out, string(body))
	}
	return out
}

func main() {
	http.HandleFunc("/jury-count", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"count":%d}`, atomic.LoadInt64(&count))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		atomic.AddInt64(&count, 1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		w.Header().Set("X-Sample", r.Header.Get("X-Sample"))
		answer, _ := json.Marshal(map[string]interface{}{"length": len(body), "views": views(r, body)})
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		w.Write(answer)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}()
	// No mux: it redirects paths that it would clean.
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jury-count" {
			http.DefaultServeMux.ServeHTTP(w, r)
			return
		}
		handler, _ := http.DefaultServeMux.Handler(&http.Request{Method: "POST", URL: &url.URL{Path: "/"}})
		handler.ServeHTTP(w, r)
	})))
}
