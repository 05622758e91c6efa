// What PostgreSQL and its helpers find in their environment: nothing of the platform's, no PG* variable.

export const serverEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' } as const;
