// Loaded into the API and the worker (`node --import`) by the command that starts them: when that command is
// killed and can no longer stop them, the channel to it closes and they stop as they would on SIGTERM.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
