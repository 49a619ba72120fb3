import type { User } from '../../../client/operations.ts';

export const roles: User['role'][] = ['viewer', 'operator', 'admin'];
