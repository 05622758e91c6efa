// Limits of the clients of a platform: the command line, MCP, and answers that they read.
// The reason for each number stands beside it.

/** Clients show a model the first 40 tools and drop the rest. */
export const toolsDefaultMax = 40;
/** The whole answer to tools/list: about 15,000 tokens of a model's memory before it has read a word of its task. */
export const toolsDefaultBytesMax = 60_000;
/** A question put to a person over MCP: people answer within minutes; later the approvals list is the place. */
export const confirmationSeconds = 600;
/** Streams that MCP clients hold open to hear of changed lists, which do not change while a process runs. */
export const mcpSubscriptionsMax = 256;
/** How long a client may keep the list of tools: it changes only with the version of the platform. */
export const toolsListKeptMs = 5 * 60 * 1000;
/** One answer to a client. A page of 500 peers is 500 kB; a topology of the largest network some MB. */
export const answerBytesMax = 64 * 1024 * 1024;
/** A stream of events that says nothing for so long is checked with a request of its own, which may take so long. */
export const eventStreamIdleMs = 15_000;
export const eventStreamProbeMs = 5_000;
/** One event on the stream, in characters: a plan of `planNodesMax` nodes with its before and after is far below. */
export const eventCharactersMax = 4 * 1024 * 1024;
/** How long the command line waits for an answer: more than the longest statement of the database. */
export const cliAnswerMs = 60_000;
