"""Flask (Werkzeug) on cheroot."""
import io
import json

import common
from cheroot import wsgi
from flask import Flask, Response, request

app = Flask(__name__)
seen = []


def undo_coding(inner):
    """A middleware that undoes the content coding; it reads the content by its length, as the server found it."""
    def outer(environ, start):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["jury.length"] = len(body)
        try:
            body = common.decoded(body, environ.get("HTTP_CONTENT_ENCODING"))
        except Exception:  # noqa: BLE001 # every library has its own error for what it cannot undo
            body = b""
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return inner(environ, start)

    return outer


@app.get("/jury-count")
def count():
    return {"count": len(seen)}


@app.route("/", defaults={"path": ""}, methods=["POST"])
@app.route("/<path:path>", methods=["POST"])
def take(path):
    seen.append(None)
    body = request.get_data(cache=True, parse_form_data=False)
    views = [request.path, common.show(request.args.to_dict(flat=False)), str(request.headers), common.show(request.cookies)]
    views += [common.show(request.form.to_dict(flat=False))] + [f"{name} {it.filename} {it.read().decode('utf8', 'replace')}" for name, it in request.files.items()]
    if request.is_json:
        views.append(common.show(request.get_json(silent=True)))
    if "form" not in (request.mimetype or ""):
        views += common.parsed(body, request.mimetype, request.mimetype_params.get("charset"))
    text = json.dumps({"length": request.environ["jury.length"], "views": views})
    return Response(text, content_type="application/json", headers={"x-sample": request.headers["x-sample"]})


app.wsgi_app = undo_coding(app.wsgi_app)
server = wsgi.Server(("127.0.0.1", 0), app, numthreads=2, timeout=60)
server.prepare()
print(server.bind_addr[1], flush=True)
common.end_with_parent()
server.serve()
