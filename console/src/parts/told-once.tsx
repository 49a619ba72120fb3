import { useRef, useState } from 'react';

/** A secret to take along. */
export function ToldOnce({
  label,
  secret,
  note,
  onDone,
}: {
  label: string;
  secret: string;
  note: string;
  onDone?: () => void;
}) {
  return (
    <div className="told-once">
      <p>{note}</p>
      <Copied label={label} text={secret} />
      {onDone !== undefined && (
        <div>
          <button type="button" onClick={onDone}>
            Hide
          </button>
        </div>
      )}
    </div>
  );
}

/** Text to copy: with the button where the browser lets it, else by hand, all of it being selected. */
export function Copied({ label, text }: { label: string; text: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');
  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied.');
    } catch {
      // A browser gives the clipboard to pages from https and this machine alone.
      setSaid('Selected: press Ctrl+C.');
    }
  };
  return (
    <div className="actions">
      <input
        ref={input}
        aria-label={label}
        readOnly
        value={text}
        spellCheck={false}
        onFocus={({ target }) => target.select()}
      />
      <button type="button" aria-label={`Copy: ${label}`} onClick={() => void copy()}>
        Copy
      </button>
      <span role="status" className="quiet">
        {said}
      </span>
    </div>
  );
}
