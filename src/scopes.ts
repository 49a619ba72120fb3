/** What a token may do: each one what those before it may, and more. */
export const scopes = ['read', 'trigger', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** What a user may do in an organization: each role gives one scope. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export const scopeOfRole: Record<Role, Scope> = { viewer: 'read', operator: 'trigger', admin: 'admin' };
export const roleOfScope: Record<Scope, Role> = { read: 'viewer', trigger: 'operator', admin: 'admin' };
