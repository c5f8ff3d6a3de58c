"""Django on waitress."""
import io
import json
import logging

import common
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import re_path
import waitress

seen = []


def take(request):
    if request.path == "/jury-count":
        return sized(json.dumps({"count": len(seen)}), {})
    seen.append(None)
    body = request.body
    views = [request.path, common.show(dict(request.GET.lists())), common.show(dict(request.headers)), common.show(request.COOKIES)]
    try:
        views.append(common.show(dict(request.POST.lists())))
        views += [f"{name} {it.name} {it.read().decode('utf8', 'replace')}" for name, it in request.FILES.items()]
    except Exception:  # noqa: BLE001 # what it cannot parse it does not see
        pass
    if "form" not in (request.content_type or ""):
        views += common.parsed(body, request.content_type or "", request.content_params.get("charset"))
    text = json.dumps({"length": request.META["jury.length"], "views": views})
    return sized(text, {"x-sample": request.headers["x-sample"]})


def sized(text, headers):
    return HttpResponse(text, content_type="application/json", headers={**headers, "content-length": str(len(text.encode()))})


urlpatterns = [re_path(".*", take)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False, SECRET_KEY="jury", MIDDLEWARE=[], DATA_UPLOAD_MAX_MEMORY_SIZE=1 << 25)
django.setup()
inner = get_wsgi_application()


def undo_coding(environ, start):
    body = environ["wsgi.input"].read()
    environ["jury.length"] = len(body)
    try:
        body = common.decoded(body, environ.get("HTTP_CONTENT_ENCODING"))
    except Exception:  # noqa: BLE001 # every library has its own error for what it cannot undo
        body = b""
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    return inner(environ, start)


# It tells of every request that waits.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
server = waitress.create_server(undo_coding, host="127.0.0.1", port=0, threads=2, ident=None)
print(server.effective_port, flush=True)
common.end_with_parent()
server.run()
