import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { User } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/time.tsx';
import { useSession } from '../session.tsx';
import { Invitations } from './invitations.tsx';
import { Invite } from './invite.tsx';
import { roles } from './roles.ts';

/** The organization's people, and what each may. */
export function Users() {
  const queries = useQueryClient();
  const [isNew, setNew] = useState(false);
  const list = useList<User>(['users'], (cursor, signal) =>
    api().call('listUsers', { query: { limit: 50, ...cursorOf(cursor) } }, { signal }),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: ['users'] });
  const invited = () => queries.invalidateQueries({ queryKey: ['invitations'] });
  return (
    <>
      <title>Users · dctl</title>
      <section className="card">
        <div className="card-head">
          <h2>Users</h2>
          <button type="button" className="primary" onClick={() => setNew(true)}>
            Invite user
          </button>
        </div>
        <p className="hint">Viewers can read, operators can also run jobs, admins can change everything.</p>
        {list.items.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col">User</th>
                <th scope="col">Role</th>
                <th scope="col">Added</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.items.map((user) => (
                <UserRow key={user.id} user={user} onChanged={refresh} />
              ))}
            </tbody>
          </table>
        )}
        <ListEnd list={list} empty="No users." more="More users" />
      </section>
      <Invitations />
      {isNew && <Invite onClose={() => setNew(false)} onInvited={invited} />}
    </>
  );
}

function UserRow({ user, onChanged }: { user: User; onChanged: () => Promise<unknown> }) {
  const { session } = useSession();
  const isSelf = session.user.id === user.id;
  const path = { user_id: user.id };
  const change = useMutation({
    mutationFn: (role: User['role']) => api().call('changeUser', { path, body: { role } }),
    onSettled: onChanged,
  });
  return (
    <tr>
      <td className="person">
        {user.email} {isSelf && <span className="badge">you</span>}
      </td>
      <td>
        <select
          aria-label={`Role of ${user.email}`}
          value={change.isPending ? change.variables : user.role}
          disabled={change.isPending}
          onChange={({ target }) => change.mutate(target.value as User['role'])}
        >
          {roles.map((role) => (
            <option key={role}>{role}</option>
          ))}
        </select>{' '}
        <span role="status" className="quiet">
          {change.isSuccess && 'Saved.'}
        </span>
        {change.isError && <Problem error={change.error} />}
      </td>
      <td>
        <Ago time={user.added_at} />
      </td>
      <td>
        <div className="actions">
          <ConfirmedAction
            name="Remove"
            about={user.email}
            question={`Remove ${user.email}?`}
            run={async () => {
              await api().call('removeUser', { path });
              await onChanged();
            }}
          >
            <p>They lose access to this organization at once.</p>
          </ConfirmedAction>
        </div>
      </td>
    </tr>
  );
}
