// Counts visits in Redis: whichever replica answers, the number goes on.
'use strict';
const http = require('http');
const os = require('os');
const redis = require('redis');

const store = redis.createClient({ url: process.env.REDIS_URL });
store.on('error', (error) => console.error(`redis: ${error.message}`));

const server = http.createServer(async (request, response) => {
  const body = { host: os.hostname() };
  try {
    if (request.url === '/healthz') await store.ping();
    else body.visits = await store.incr('visits');
  } catch (error) {
    response.statusCode = 503;
    body.error = error.message;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body) + '\n');
});

process.on('SIGTERM', () => server.close(() => store.quit().finally(() => process.exit(0))));
store.connect().then(() => server.listen(3000, () => console.log('listening on 3000')));
