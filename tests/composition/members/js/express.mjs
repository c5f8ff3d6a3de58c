// Express 5 with body-parser (JSON, qs, text in any charset of iconv-lite), multer over busboy, fast-xml-parser.
import express from "express";
import multer from "multer";
import { XMLParser } from "fast-xml-parser";

const app = express();
app.set("query parser", "extended");
let count = 0;
app.get("/jury-count", (_, answer) => answer.json({ count }));
// Counts the bytes of the content beside the parser that reads them.
app.use((request, _, next) => {
  count += 1;
  request.length = 0;
  request.on("data", (it) => (request.length += it.length));
  next();
});
const as = (...types) => (request) => types.some((it) => (request.headers["content-type"] ?? "").startsWith(it));
const isJson = (request) => /^application\/(json|[^;]*\+json) *(;|$)/.test(request.headers["content-type"] ?? "");
app.use(express.json({ type: isJson, limit: "32mb", strict: false }));
app.use(express.urlencoded({ type: as("application/x-www-form-urlencoded"), extended: true, limit: "32mb" }));
app.use(multer({ storage: multer.memoryStorage() }).any());
app.use(express.text({ type: as("text/", "application/xml", "application/x-ndjson", "application/jsonl"), limit: "32mb" }));
app.use(express.raw({ type: as("application/x-protobuf", "application/protobuf", "application/grpc-web"), limit: "32mb" }));
function views(request) {
  const out = [decodeURIComponent(request.path), request.query, request.headers, Buffer.isBuffer(request.body) ? request.body.toString() : request.body];
  for (const file of request.files ?? []) out.push(file.fieldname, file.originalname, file.buffer.toString());
  if (typeof request.body === "string") {
    const type = request.headers["content-type"];
    try {
      if (type.includes("xml")) out.push(new XMLParser({ ignoreAttributes: false }).parse(request.body));
      if (/ndjson|jsonl/.test(type)) out.push(request.body.trim().split("\n").map((it) => JSON.parse(it)));
    } catch {
      // What it cannot parse it does not see.
    }
  }
  return out.filter((it) => it !== undefined).map((it) => (typeof it === "string" ? it : JSON.stringify(it)));
}
const answer = (request, response) => response.set("x-sample", request.headers["x-sample"]).json({ length: request.length, views: views(request) });
app.use(answer);
app.use((error, request, response, _) => {
  // The parser gave up: the rest of the content is still read, and counted.
  const end = () => answer(request, response);
  if (request.readableEnded) end();
  else request.on("end", end).resume();
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
server.keepAliveTimeout = 60000;
process.stdin.resume().on("end", () => process.exit(0));
