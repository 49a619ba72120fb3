import { useQueryClient } from '@tanstack/react-query';
import type { Invitation } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { When } from '../parts/when.tsx';

/** Those who were invited and have not come yet. */
export function Invitations() {
  const queries = useQueryClient();
  const list = useList<Invitation>(['invitations'], (cursor, signal) =>
    api().call('listInvitations', { query: { limit: 50, ...cursorOf(cursor) } }, { signal }),
  );
  if (list.query.isSuccess && list.items.length === 0) return null;
  return (
    <section className="card">
      <h2>Pending invitations</h2>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">E-mail</th>
              <th scope="col">Role</th>
              <th scope="col">Invited by</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((invitation) => (
              <tr key={invitation.id}>
                <td className="person">{invitation.email ?? 'first admin (setup link)'}</td>
                <td>{invitation.role}</td>
                <td className="person" data-label="invited by">
                  {invitation.created_by}
                </td>
                <td data-label="expires">
                  <When time={invitation.expires_at} />
                </td>
                <td>
                  <div className="actions">
                    <ConfirmedAction
                      name="Revoke"
                      about={invitation.email ?? 'setup link'}
                      question="Revoke the invitation?"
                      run={async () => {
                        await api().call('withdrawInvitation', { path: { invitation_id: invitation.id } });
                        await queries.invalidateQueries({ queryKey: ['invitations'] });
                      }}
                    >
                      <p>Its link stops working.</p>
                    </ConfirmedAction>
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd list={list} empty="" more="More invitations" />
    </section>
  );
}
