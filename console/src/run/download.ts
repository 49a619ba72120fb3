/** Hands the browser a file to keep. */
export function download(name: string, content: BlobPart[]): void {
  const address = URL.createObjectURL(new Blob(content, { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
