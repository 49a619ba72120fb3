import { DctlClient } from '../../client/client.ts';

const kept = 'dctl.organization';

/** Which of the user's organizations the console is about. Kept in this browser. */
export function chosenOrganization(): string | undefined {
  return localStorage.getItem(kept) ?? undefined;
}

export function chooseOrganization(id: string): void {
  localStorage.setItem(kept, id);
}

/** The server that this page is from, as whoever is signed in. */
export function api(): DctlClient {
  const organizationId = chosenOrganization();
  return new DctlClient(organizationId === undefined ? {} : { organizationId });
}
