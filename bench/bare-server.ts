import { randomUUID } from 'node:crypto';
import express from 'express';
import pg from 'pg';

// What the trigger is compared with: one route that stores what it is sent.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
const app = express();
app.use(express.json());
app.post('/', (request, response, next) => {
  const id = randomUUID();
  pool
    .query('INSERT INTO bench_inserts (id, body) VALUES ($1, $2)', [id, request.body])
    .then(() => response.json({ id }))
    .catch(next);
});
app.listen(Number(process.env['PORT']), '127.0.0.1');
