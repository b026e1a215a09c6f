// Says how long it has been up, in the words of a package from npm.
const http = require("node:http");
const ms = require("ms");

const began = Date.now();
const server = http.createServer((request, response) => {
    response.setHeader("content-type", "text/plain");
    response.end(`up for ${ms(Date.now() - began, { long: true })}\n`);
});
server.listen(3000, () => console.log("listening on 3000"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
