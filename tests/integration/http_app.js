// What Node's http module runs for http_upstreams: each request whose body has ended is one line in a file, then a 200.
const fs = require("fs");
const http = require("http");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("error", () => {});
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces).toString("latin1");
    const line = [request.method, request.url, body, request.headers["x-forwarded-for"] || ""];
    fs.appendFileSync(process.env.JOINGATE_RECORD, JSON.stringify(line) + "\n", "latin1");
    response.writeHead(200, { "Content-Length": "0" });
    response.end();
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
