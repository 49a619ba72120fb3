import { randomUUID } from 'node:crypto';
import express from 'express';
import pg from 'pg';

// What a trigger is compared with: a route that stores what it is sent with one prepared insert, and does nothing else.
const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['CONNECTIONS']),
});
const app = express();
app.use(express.json());
app.post('/', (request, response, next) => {
  const id = randomUUID();
  pool
    .query({
      name: 'insert',
      text: 'INSERT INTO bench_inserts (id, body) VALUES ($1, $2)',
      values: [id, request.body],
    })
    .then(() => response.json({ id }))
    .catch(next);
});
app.listen(Number(process.env['PORT']), '127.0.0.1');
