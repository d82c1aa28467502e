"""``python -m deploy.k8s``: writes base/ and keda/ from deploy/stack/processes.py, contracts/topics.py and modeles/."""

from deploy.k8s.manifests import FOLDER, render


def main() -> None:
    for folder in ("base", "keda"):
        for old in (FOLDER / folder).glob("*.yaml"):
            old.unlink()
    for name, text in render().items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(name)


if __name__ == "__main__":
    main()
