import io
import tarfile

import schemathesis
from hypothesis import strategies


def archive():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in {"dbt_project.yml": b"name: shop\nprofile: shop\n", "models/one.sql": b"select 1"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return content.getvalue()


# The contents of a file are no schema's: what it says of a deployment is that some come.
schemathesis.openapi.media_type("application/gzip", strategies.sampled_from([archive()]))
