import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asAnotherOrganization } from '../support/organization.ts';
import { expectStatus } from '../support/project.ts';
import { addPerson, trySignIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

const users = '/api/v1/users';

describe('adding a user', () => {
  test('makes somebody new an account with a password that is told once', async () => {
    const wanted = { email: 'Ada@Example.com', role: 'operator' };
    const { body } = await expectStatus(201, system.call('POST', users, wanted));
    expect(body).toMatchObject({ email: 'ada@example.com', role: 'operator', is_new: true });
    expect((await trySignIn(system, { email: 'ADA@example.com', password: body.password })).status).toBe(200);
    const listed = await system.call('GET', users);
    expect(listed.text).not.toContain(body.password);
    expect(listed.body.data).toContainEqual({
      id: body.id,
      email: 'ada@example.com',
      role: 'operator',
      added_at: body.added_at,
    });
    expect((await system.call('POST', users, { ...wanted, email: 'aDa@example.com' })).status).toBe(409);
  });

  test('takes the password it is given, and tells none', async () => {
    const wanted = { email: 'given@example.com', role: 'viewer', password: 'correct horse battery' };
    const { body } = await expectStatus(201, system.call('POST', users, wanted));
    expect(body).not.toHaveProperty('password');
    expect((await trySignIn(system, wanted)).status).toBe(200);
  });

  test('neither tells nor touches the password of somebody the server knows', async () => {
    const known = await addPerson(system, 'viewer');
    const other = await asAnotherOrganization(system);
    const wanted = { email: known.email, role: 'admin', password: 'somebody elses idea' };
    const { body } = await expectStatus(201, other.call('POST', users, wanted));
    expect(body).toMatchObject({ id: known.id, is_new: false });
    expect(body).not.toHaveProperty('password');
    expect((await trySignIn(system, wanted)).status).toBe(401);
    expect((await trySignIn(system, known)).status).toBe(200);
  });

  test('of one new e-mail address to two organizations at once makes one account', async () => {
    const others = await Promise.all([asAnotherOrganization(system), asAnotherOrganization(system)]);
    const wanted = { email: 'twice@example.com', role: 'viewer' };
    const added = await Promise.all(others.map((each) => each.call('POST', users, wanted)));
    expect(added.map(({ status }) => status)).toEqual([201, 201]);
    expect(added[0]!.body.id).toBe(added[1]!.body.id);
    expect(added.map(({ body }) => body.is_new).toSorted()).toEqual([false, true]);
  });

  test.each([
    [{ email: 'nobody', role: 'viewer' }, '/email'],
    // The sign for Kelvin: its lower case is a plain k.
    [{ email: 'ni\u212Aki@example.com', role: 'viewer' }, '/email'],
    [{ email: 'a@example.com', role: 'owner' }, '/role'],
    [{ email: 'a@example.com', role: 'viewer', password: 'short' }, '/password'],
  ])('refuses %j', async (wanted, pointer) => {
    const answer = await system.call('POST', users, wanted);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });
});

test('each change of who belongs to the organization is noted', async () => {
  const person = await addPerson(system, 'viewer');
  await expectStatus(200, system.call('PATCH', `${users}/${person.id}`, { role: 'admin' }));
  await expectStatus(200, system.call('PATCH', `${users}/${person.id}`, { role: 'admin' }));
  await expectStatus(204, system.call('DELETE', `${users}/${person.id}`));
  const { body } = await system.call('GET', `/api/v1/audit?subject_id=${person.id}`);
  expect(body.data.map(({ action, details }: any) => [action, details])).toEqual([
    ['user.removed', { email: person.email }],
    ['user.changed', { email: person.email, role: 'admin', role_before: 'viewer' }],
    ['user.added', { email: person.email, role: 'viewer' }],
  ]);
  expect((await system.call('GET', '/api/v1/audit?action=user.removed&limit=1')).body.data).toEqual([
    body.data[0],
  ]);
});

describe('the last admin', () => {
  test('can be neither removed nor demoted', async () => {
    const other = await asAnotherOrganization(system);
    const only = await addPerson(other, 'admin');
    const demote = () => other.call('PATCH', `${users}/${only.id}`, { role: 'operator' });
    expect(await demote()).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('last admin') },
    });
    expect((await other.call('DELETE', `${users}/${only.id}`)).status).toBe(409);
    expect((await other.call('PATCH', `${users}/${only.id}`, { role: 'admin' })).status).toBe(200);
    await addPerson(other, 'admin');
    expect((await demote()).status).toBe(200);
  });

  test('stays when all admins are removed and demoted at once', async () => {
    const other = await asAnotherOrganization(system);
    const admins = await Promise.all(Array.from({ length: 6 }, () => addPerson(other, 'admin')));
    const answers = await Promise.all(
      admins.map(({ id }, index) =>
        index % 2 === 0
          ? other.call('DELETE', `${users}/${id}`)
          : other.call('PATCH', `${users}/${id}`, { role: 'viewer' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
    const { data } = (await other.call('GET', users)).body;
    expect(data.filter(({ role }: any) => role === 'admin')).toHaveLength(1);
  });
});
