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
      <h2>Invited</h2>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Who</th>
              <th scope="col">Role</th>
              <th scope="col">By</th>
              <th scope="col">Good until</th>
              <th scope="col">
                <span className="unseen">Take it back</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((invitation) => (
              <tr key={invitation.id}>
                <td className="wrap">{invitation.email ?? 'whoever has the first link'}</td>
                <td>{invitation.role}</td>
                <td className="wrap" data-label="by">
                  {invitation.created_by}
                </td>
                <td data-label="good until">
                  <When time={invitation.expires_at} />
                </td>
                <td>
                  <div className="actions">
                    <ConfirmedAction
                      name="Take back"
                      about={invitation.email ?? 'the first link'}
                      question="Take the invitation back?"
                      run={async () => {
                        await api().call('withdrawInvitation', { path: { invitation_id: invitation.id } });
                        await queries.invalidateQueries({ queryKey: ['invitations'] });
                      }}
                    >
                      <p>Its link is good for nothing then.</p>
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
