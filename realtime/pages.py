"""The pages: built files from `realtime/web/dist`, and `/docs` made of our own OpenAPI, with nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse

PAGES = ("/", "/wall", "/agent", "/login", "/supervisor", "/admin")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")

_MISSING = """<!doctype html>
<html lang="fa" dir="rtl"><head><meta charset="utf-8"><title>پاسخ · Pasokh</title></head><body>
<h1>صفحه‌ها هنوز ساخته نشده‌اند.</h1><p>فرمان <code dir="ltr">make setup</code> آن‌ها را می‌سازد.</p>
<div lang="en" dir="ltr"><h1>The pages have not been built yet.</h1>
<p><code>make setup</code> builds them.</p></div></body></html>"""

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font-family:ui-monospace,monospace}section{border-top:1px solid #8886;padding:.5rem 0}
h3 code{font-weight:600}table{border-collapse:collapse}td,th{text-align:start;padding:.1rem .8rem .1rem 0}
pre{background:#8881;padding:.6rem;overflow:auto}"""


def router_of(app: FastAPI, dist: Path) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    async def page() -> Response:
        index = dist / "index.html"
        if not index.is_file():
            return HTMLResponse(_MISSING, 503, {"cache-control": "no-store"})
        return FileResponse(index, headers={"cache-control": "no-cache"})

    for path in PAGES:
        router.add_api_route(path, page, methods=["GET", "HEAD"])

    @router.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(docs_page(app.openapi()))

    @router.get("/docs.css")
    async def docs_css() -> Response:
        return Response(_STYLE, media_type="text/css")

    @router.api_route("/assets/{name}", methods=["GET", "HEAD"])
    async def asset(name: str) -> Response:
        return _file(dist / "assets", name, "public, max-age=31536000, immutable")

    @router.api_route("/{name}", methods=["GET", "HEAD"])
    async def file(name: str) -> Response:
        return _file(dist, name, "no-cache")

    return router


def _file(folder: Path, name: str, cache: str) -> Response:
    """A plain file directly in this folder; a name with anything else in it finds nothing."""
    path = folder / name
    if not _NAME.match(name) or path.is_symlink() or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, headers={"cache-control": cache})


def docs_page(schema: Mapping[str, object]) -> str:
    """The OpenAPI document for people to read: one page, no script."""
    info = _object(schema.get("info"))
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(str(info.get('title')))}</title>",
        '<link rel="stylesheet" href="/docs.css"></head><body>',
        f"<h1>{escape(str(info.get('title')))} {escape(str(info.get('version')))}</h1>",
        f"<p>{escape(str(info.get('description', '')))}</p>",
        '<p><a href="/openapi.json">openapi.json</a></p>',
    ]
    for path, methods in _object(schema.get("paths")).items():
        for method, operation in _object(methods).items():
            parts.append(_operation(path, method, _object(operation), schema))
    parts.append("</body></html>")
    return "".join(parts)


def _operation(path: str, method: str, operation: Mapping[str, object], schema: Mapping[str, object]) -> str:
    rows = "".join(_parameter(_object(each)) for each in _list(operation.get("parameters")))
    content = _object(_object(operation.get("requestBody")).get("content"))
    fields = _fields(_object(_object(content.get("application/json")).get("schema")), schema)
    return (
        f"<section><h3><code>{escape(method.upper())} {escape(path)}</code></h3>"
        f"<p>{escape(str(operation.get('description') or operation.get('summary') or ''))}</p>"
        + (f"<table>{rows}</table>" if rows else "")
        + (f"<p>Body (JSON):</p><table>{fields}</table>" if fields else "")
        + "</section>"
    )


def _parameter(parameter: Mapping[str, object]) -> str:
    needed = "needed" if parameter.get("required") else ""
    return (
        f"<tr><td><code>{escape(str(parameter.get('name')))}</code></td>"
        f"<td>{escape(str(parameter.get('in')))}</td>"
        f"<td>{escape(_type(_object(parameter.get('schema'))))}</td><td>{needed}</td></tr>"
    )


def _fields(body: Mapping[str, object], schema: Mapping[str, object]) -> str:
    reference = str(body.get("$ref", "")).rpartition("/")[2]
    model = _object(_object(_object(schema.get("components")).get("schemas")).get(reference))
    needed = {str(each) for each in _list(model.get("required"))}
    return "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(_object(field)))}</td>"
        f"<td>{'needed' if name in needed else ''}</td></tr>"
        for name, field in _object(model.get("properties")).items()
    )


def _type(field: Mapping[str, object]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(_object(each)) for each in _list(field["anyOf"]))
    if "enum" in field:
        return ", ".join(str(each) for each in _list(field["enum"]))
    return str(field.get("type") or str(field.get("$ref", "")).rpartition("/")[2])


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
