// The agent's version, as it is told to the platform and printed. A test holds it equal to package.json.
export const agentVersion = '0.1.0';
