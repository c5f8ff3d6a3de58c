"""The recipient of compose.yaml: answers every request with what reached it."""
import http.server
import json


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def echo(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = {"method": self.command, "path": self.path, "fields": dict(self.headers), "body": body.decode("utf8", "replace")}
        answer = json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = echo


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8080), Echo).serve_forever()
