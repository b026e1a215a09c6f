// Exit status 0 when the program answers and reaches Redis.
'use strict';
require('http')
  .get('http://127.0.0.1:3000/healthz', (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .on('error', () => process.exit(1));
