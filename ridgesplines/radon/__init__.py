"""The Radon domain: transforms, the seminorm RTV of any function, and the measures of ridge splines."""
