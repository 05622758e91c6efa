// The agent as a service of systemd: the unit that the Debian package and the install script put in place.

export const agentServiceName = 'powernode-agent';

/** Where the agent keeps what it is, unless told otherwise. */
export const agentStateFolder = '/var/lib/powernode';

/** `program`: the absolute path of the one-file agent. */
export function agentServiceUnit(program: string): string {
  return `[Unit]
Description=Powernode agent
After=network.target
# An instance that has not joined, or has left, has nothing to run.
ConditionPathExists=${agentStateFolder}/identity.json

[Service]
ExecStart=${program} agent run
Restart=always
RestartSec=1
# 77: the platform revoked this instance; 73: another agent runs, or this instance has left.
RestartPreventExitStatus=77 73
# Only the agent ends when it is stopped or restarted. Without WireGuard in the kernel, tunnels are
# processes beside it, and packets must go on.
KillMode=process

[Install]
WantedBy=multi-user.target
`;
}
