"""What sets Dropforge up: on a laptop (`local`), and the commands behind `./deploy.sh`."""
