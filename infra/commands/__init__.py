"""The commands that look at a deployment and change it: a module each, behind `./deploy.sh`."""
