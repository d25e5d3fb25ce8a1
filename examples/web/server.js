require("node:http")
  .createServer((request, response) => response.end("site\n"))
  .listen(3000);
